"""The family `cache`: small, shared, rebuildable values with a time to live (routes, interest, tickets, buckets).

The promise is `abstract.Cache`: atomic per key, and all of it may vanish at any moment (then `epoch` changes). Nothing
that must not be lost is kept here alone.

Members, chosen by `open_cache`:
    `memory.MemoryCache`: one process's own. Bounded in entries and bytes; full, it refuses new keys and keeps what it has.
    `redis.redis.RedisCache`: a Redis or a Redis Cluster, shared by all processes. Full, it refuses new keys, too.
"""
