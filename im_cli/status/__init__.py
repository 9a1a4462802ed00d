"""`im status`: every process of a cluster and every engine it stands on, at a glance.

`gather` asks discovery and the processes, `view` draws what they said, `command` is what a person types.
"""
