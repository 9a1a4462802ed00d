"""Sending, recalling, editing and reading messages.

Owns the decision who may write where, the order of one sender's entries on their way to repo, and what a message may
hold. It never stores anything itself and never resolves who receives: that is `im_logic.delivery`.
"""
