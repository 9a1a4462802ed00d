"""Between this room's words and protobuf."""

import pytest

from im_logic.accounts import convert
from im_logic.accounts.model import DeviceClass, Installation
from im_logic.accounts.ports import NewSession, Rotation
from im_proto.repo.v1 import account_pb2 as pb

SESSION = pb.SessionRow(session_id=2, user_id=1, device_id="device-01", device_class=9, generation=3)


def test_times_of_an_end_become_yes_or_no() -> None:
    ended = pb.SessionRow(revoked_time=5)
    displaced = pb.SessionRow(displaced_time=5)
    assert (convert.session_of(ended).revoked, convert.session_of(ended).displaced) == (True, False)
    assert (convert.session_of(displaced).revoked, convert.session_of(displaced).displaced) == (False, True)
    assert convert.user_of(pb.UserRow(disabled_time=5)).disabled


def test_a_device_class_of_a_newer_server_is_taken_for_a_desktop() -> None:
    assert convert.session_of(SESSION).installation.device_class is DeviceClass.DESKTOP


def test_a_new_session_leaves_its_ids_to_repo() -> None:
    row = convert.session_row(NewSession(Installation("device-01", DeviceClass.WEB, "Chrome"), b"hash", 9), user_id=1)
    assert row == pb.SessionRow(
        user_id=1,
        device_id="device-01",
        device_class=4,
        device_name="Chrome",
        refresh_hash=b"hash",
        refresh_expire_time=9,
    )


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (pb.ROTATE_STATUS_ROTATED, Rotation.ROTATED),
        (pb.ROTATE_STATUS_REPEATED, Rotation.REPEATED),
        (pb.ROTATE_STATUS_REUSED, Rotation.REUSED),
        (pb.ROTATE_STATUS_UNKNOWN, Rotation.UNKNOWN),
        (77, Rotation.UNKNOWN),
    ],
)
def test_a_rotation_of_a_newer_repo_counts_as_unknown(status: int, outcome: Rotation) -> None:
    rotated = convert.rotated_of(pb.RotateRefreshResponse(status=status))  # type: ignore[arg-type]
    assert (rotated.outcome, rotated.session, rotated.user) == (outcome, None, None)


def test_the_session_that_asks_is_marked_among_the_devices() -> None:
    session = convert.session_of(SESSION)
    assert convert.device_message(session, current_session_id=2).current
    assert not convert.device_message(session, current_session_id=3).current
