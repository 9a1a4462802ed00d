"""Looking an append up."""

from typing import Any

import pytest
from sqlalchemy import Connection

from im_infra.errors import ImError
from im_proto.v1.message_pb2 import SendResponse
from im_repo.log.again import find_append
from im_repo.log.fanout_class import FanoutBounds

LOG = 70
BOUNDS = FanoutBounds()


def test_what_was_stored_is_found(connection: Connection, seed: Any, store: Any, draft: Any) -> None:
    seed.conversation(LOG, 1)
    one = draft(LOG, 1)
    first = store(one)
    found = find_append(connection, one[:3], digest=one.digest, bounds=BOUNDS)
    assert (found.seq, found.message_id, found.duplicate, found.epoch) == (first.seq, first.message_id, True, 1)


def test_what_was_not_is_absent(connection: Connection, seed: Any, draft: Any) -> None:
    seed.conversation(LOG, 1)
    assert find_append(connection, draft(LOG, 1)[:3], digest=b"", bounds=BOUNDS) is None
    assert find_append(connection, draft(999, 1)[:3], digest=b"", bounds=BOUNDS) is None


def test_other_content_is_a_conflict(connection: Connection, seed: Any, store: Any, draft: Any) -> None:
    seed.conversation(LOG, 1)
    one = draft(LOG, 1)
    store(one)
    with pytest.raises(ImError) as caught:
        find_append(connection, one[:3], digest=b"x" * 16, bounds=BOUNDS)
    assert caught.value.reason.name == "CONFLICT"
    assert SendResponse.FromString(caught.value.detail).seq == 1
