"""What a user asked for once: operation ids with the answer that was given, in the transaction of the effect.

It owns the table `operation`; it never stores an answer that carries secrets.
"""
