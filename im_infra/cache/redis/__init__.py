"""The cache's distributed member: a Redis, or a Redis Cluster.

From the network up: `connect` (one connection), `node` (one server: shared round trips, when it counts as away, its epoch),
`single` and `slots` (which server has a key), `redis` (the member). Nothing here knows what the values mean.
"""
