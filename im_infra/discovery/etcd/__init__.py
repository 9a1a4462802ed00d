"""The registry of a distributed cluster: etcd.

Keys, all below the prefix of the settings:
    `node/{service}/{node_id}`: a node as JSON, on a lease of some seconds that its process keeps alive.
    `worker/{worker_id}`: the recorded high time of a worker id, without a lease: an id is free again when that has passed.

`connection` speaks to etcd, `liveness` decides who is listed (rules without I/O), `registration` announces, `workers` leases
worker ids (which `worker_claims` claims in the database as well), `discovery` puts them together.
"""
