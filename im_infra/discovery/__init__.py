"""The family `discovery`: which nodes live where, and which worker id is whose.

The promise is `abstract.Discovery`. It owns liveness and leases; it never carries messages.

Members, chosen by `open_discovery`:
    `static.StaticDiscovery`: a list that does not change by itself, plus this process's own nodes; worker leases in the
    cluster's database.
    `etcd.discovery.EtcdDiscovery`: an etcd that all processes of a cluster share.
"""
