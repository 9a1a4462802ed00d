"""Users, their sessions, refresh tokens, revocations and invites.

It owns the tables `user`, `session`, `revocation`, `invite` and `entry_account`. It knows no password and no token, only
their hashes; who may do what is decided in logic.
"""
