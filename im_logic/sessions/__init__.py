"""Sessions: a connection's Hello and its end.

It owns the kick policy, the routes of connections as they come and go, and resume tokens. Whether a session stands is
asked of the room `accounts`; what a client has missed is answered by the room `sync`.
"""
