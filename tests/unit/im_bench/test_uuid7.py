"""Ids carry version, variant and time."""

import time
from uuid import UUID

from im_bench.uuid7 import uuid7


def test_an_id_is_a_uuid_of_version_7_made_now() -> None:
    made = UUID(uuid7())
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert abs((made.int >> 80) - time.time() * 1000) < 5_000
