"""Account events: what changed for one user, dense under their `pts`, so that every device catches up.

It owns `user_state` and `user_event`; it never decides what is worth an event: the units that change something say so.
"""
