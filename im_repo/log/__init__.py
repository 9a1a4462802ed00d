"""The log of every conversation: the batched append with its decisions and effects, and the ways it is read.

Logic words the rules of an append as values; here they are evaluated, under the conversation's lock. It owns `message`
and what an append changes in `conversation`, `member`, `member_window` and `cursor`; it never asks who may do what.
"""
