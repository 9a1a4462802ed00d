"""The family `discovery`: which nodes live where, and which worker id is whose.

It owns liveness and leases; it never carries messages.
"""
