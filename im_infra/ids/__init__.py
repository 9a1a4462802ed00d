"""Ids: global, roughly time-sorted 64-bit numbers (snowflakes) and UUIDv7.

It owns how ids are made and the worker lease they are made under. Ids are for references; order is `seq`'s job.
"""

from im_infra.ids.snowflake import LeaseSource, Snowflake
from im_infra.ids.uuid7 import uuid7, uuid7_time_ms
from im_infra.ids.worker_lease import WorkerLeaseKeeper

__all__ = ["LeaseSource", "Snowflake", "WorkerLeaseKeeper", "uuid7", "uuid7_time_ms"]
