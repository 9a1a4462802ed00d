"""Conversations and what one user sees of them: opening, heads, members, others' cursors.

It owns the tables `conversation`, `direct`, `member` and `member_window` outside of an append; whatever changes a
conversation's members later is an entry of its log and belongs to `im_repo.log`.
"""
