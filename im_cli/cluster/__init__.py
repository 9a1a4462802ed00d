"""`im cluster`: a whole distributed cluster on this machine, with real engines, all of it on loopback.

For a first look at the distributed mode, for measurements and for the tests. Beyond one machine the same processes run
from the same settings over engines of the operator's own.

`shape` says how many of each, `engine_set` what they stand on, `service` how one is started, `local_cluster` holds it all
together, `state_file` remembers it for the next command, `install` brings what is missing, `command` is what a person types.
"""
