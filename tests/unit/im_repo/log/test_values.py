"""The numbers that rules speak are the contract's."""

from im_proto.v1 import conversation_pb2, message_pb2
from im_repo.conversations import make, message_flags
from im_repo.log import values


def test_they_are_the_contracts() -> None:
    for name in ("KIND_DIRECT", "KIND_GROUP", "KIND_WORLD", "STATUS_OPEN", "STATUS_DISSOLVED"):
        assert getattr(values, name) == getattr(conversation_pb2, f"CONVERSATION_{name}")
    for name in (
        "ROLE_MEMBER", "ROLE_ADMIN", "ROLE_OWNER", "STATE_IN", "STATE_LEFT", "STATE_REMOVED", "STATE_BANNED",
    ):  # fmt: skip
        assert getattr(values, name) == getattr(conversation_pb2, f"MEMBER_{name}")
    for name in ("TYPE_NOTICE", "TYPE_EDIT", "TYPE_RECALL"):
        assert getattr(values, name) == getattr(message_pb2, f"MESSAGE_{name}")


def test_the_other_rooms_mean_the_same() -> None:
    flags = (message_flags.RECALLED, message_flags.PURGED, message_flags.COUNTABLE)
    assert flags == (values.FLAG_RECALLED, values.FLAG_PURGED, values.FLAG_COUNTABLE)
    assert (make.FANOUT_SMALL, make.FANOUT_LARGE) == (values.FANOUT_SMALL, values.FANOUT_LARGE)
