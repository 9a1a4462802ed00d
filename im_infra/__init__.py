"""What all services need and no business: settings, logs, metrics, ids, RPC, bus, cache, discovery, SQL, life cycle.

It knows no service: nothing here imports `im_gateway`, `im_logic`, `im_task`, `im_repo` or `im_cli`.
"""
