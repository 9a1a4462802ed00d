"""Logic: decides what clients may do, and tells repo what to store.

It owns no state that cannot be read again: routes and one-time tokens lie in the cache, everything durable in repo. Its
rooms are accounts, sessions, messaging, conversations, groups, sync, reading and delivery.
"""
