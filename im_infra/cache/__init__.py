"""The family `cache`: small, shared, rebuildable values with a time to live (routes, interest, tickets, buckets).

What is in it may vanish at any moment: nothing that must not be lost is kept here alone.
"""
