"""Token buckets: per user, per address, per process."""
