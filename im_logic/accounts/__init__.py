"""Accounts: who somebody is, and the tokens that say so.

It owns the ways in (register, login, guest, upgrade), the life of sessions and their tokens, and passwords. It never
opens a connection: that is the room `sessions`, which asks this one whether a session stands.
"""
