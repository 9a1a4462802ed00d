"""Ids carry version, variant and time, and never come twice."""

import time
from uuid import UUID

from im_bench.message_id import MessageIds


def test_an_id_is_a_uuid_of_version_7_made_now() -> None:
    made = UUID(MessageIds().next())
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert abs((made.int >> 80) - time.time() * 1000) < 5_000


def test_ids_of_many_senders_made_at_once_differ() -> None:
    senders = [MessageIds() for _ in range(50)]
    made = [sender.next() for _ in range(100) for sender in senders]
    assert len(set(made)) == len(made)
    assert all(str(UUID(one)) == one for one in made)
