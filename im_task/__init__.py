"""What happens after a message is committed and need not hold up its sender.

It owns the consumers of the bus: fan-out of large conversations by gateway interest, redelivery after a crash, dead
letters. It never answers a client and never speaks SQL.
"""
