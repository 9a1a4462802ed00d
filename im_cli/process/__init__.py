"""One process of the cluster: its settings, the leaves it stands on, its services wired over them, and its life."""
