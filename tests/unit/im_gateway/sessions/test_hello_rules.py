"""What a Hello must be."""

import pytest

from im_gateway.sessions.hello_rules import check_hello, close_code
from im_infra import error_table
from im_infra.error_table import REASONS, CloseCode
from im_infra.errors import ImError

GOOD = {"credential": "access_token", "instance_id": "tab", "client_version": "web/1", "device_id": "device-1"}


def test_a_good_one_passes() -> None:
    check_hello(**GOOD)  # type: ignore[arg-type]
    for credential in ("access_token", "ticket", "resume_token"):
        check_hello(**{**GOOD, "credential": credential, "instance_id": "", "device_id": ""})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"credential": None}, error_table.UNAUTHENTICATED),
        ({"instance_id": "x" * 65}, error_table.FIELD_INVALID),
        ({"client_version": "x" * 65}, error_table.FIELD_INVALID),
        ({"device_id": "x" * 65}, error_table.FIELD_INVALID),
    ],
)
def test_a_bad_one_says_why(change: dict[str, str | None], reason: error_table.Reason) -> None:
    with pytest.raises(ImError) as refused:
        check_hello(**{**GOOD, **change})  # type: ignore[arg-type]
    assert refused.value.reason == reason


def test_every_reason_has_a_close_code_and_retryable_ones_reconnect() -> None:
    for reason in REASONS:
        code = close_code(reason)
        assert isinstance(code, CloseCode)
        if reason.retryable:
            assert code < 4500, reason.name
