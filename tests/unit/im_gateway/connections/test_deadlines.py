"""When a connection has to end."""

from dataclasses import replace

import pytest

from im_gateway.connections.deadlines import DeadlineRules, Vitals, end_due, next_look
from im_infra.error_table import CloseCode

RULES = DeadlineRules(hello_timeout_s=5, silence_timeout_s=110, token_grace_s=60, lagged_timeout_s=10)
OPEN = Vitals(opened_at=0, heard_at=100, said_hello=True, token_expires_at=None, lagged_at=None)


@pytest.mark.parametrize(
    ("vitals", "due", "code"),
    [
        (replace(OPEN, said_hello=False), 5, CloseCode.HELLO_TIMEOUT),
        (OPEN, 210, CloseCode.HEARTBEAT_MISSED),
        (replace(OPEN, token_expires_at=120), 180, CloseCode.TOKEN_STALE),
        (replace(OPEN, lagged_at=101), 111, CloseCode.SLOW_READER),
    ],
)
def test_each_reason_has_its_time(vitals: Vitals, due: float, code: CloseCode) -> None:
    assert next_look(vitals, RULES) == due
    assert end_due(vitals, due - 0.1, RULES) is None
    assert end_due(vitals, due, RULES) is code


def test_the_next_look_is_at_the_nearest() -> None:
    assert next_look(replace(OPEN, token_expires_at=500, lagged_at=105), RULES) == 115
