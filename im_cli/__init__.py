"""The `im` command: starts the cluster, talks on it, keeps it.

It owns the wiring: the only package that may import several services. It never holds rules of its own.
"""
