"""Conversations: the cache of their state, opening private ones, lists of them and of users.

The cache is what the hot path decides from. It is fenced by versions that repo compares under its lock, so a stale
entry costs a round trip and never a wrong decision.
"""
