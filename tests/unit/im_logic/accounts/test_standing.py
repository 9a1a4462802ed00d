"""Whether a session stands."""

from dataclasses import replace

import pytest

from im_infra import error_table
from im_infra.error_table import Reason
from im_logic.accounts.model import DeviceClass, Installation, Session, User
from im_logic.accounts.standing import refusal

USER = User(user_id=1, handle="alice", display_name="Alice", kind=2)
SESSION = Session(
    session_id=2,
    user_id=1,
    installation=Installation("device-01", DeviceClass.PHONE, ""),
    generation=5,
    refresh_hash=b"",
    refresh_counter=0,
    refresh_expire_time=0,
    created_time=0,
    seen_time=0,
)


@pytest.mark.parametrize(
    ("session", "user", "generation", "take_over", "reason"),
    [
        pytest.param(SESSION, USER, 5, False, None, id="stands"),
        pytest.param(None, USER, 5, False, error_table.SESSION_REVOKED, id="unknown session"),
        pytest.param(SESSION, None, 5, False, error_table.SESSION_REVOKED, id="unknown user"),
        pytest.param(replace(SESSION, revoked=True), USER, 5, True, error_table.SESSION_REVOKED, id="revoked"),
        pytest.param(SESSION, replace(USER, disabled=True), 5, True, error_table.ACCOUNT_DISABLED, id="disabled"),
        pytest.param(replace(SESSION, displaced=True), USER, 5, False, error_table.KICKED, id="displaced"),
        pytest.param(replace(SESSION, displaced=True), USER, 5, True, None, id="takes over"),
        pytest.param(
            replace(SESSION, displaced=True), USER, 4, True, error_table.TOKEN_EXPIRED, id="takes over, old token"
        ),
        pytest.param(SESSION, USER, 4, False, error_table.TOKEN_EXPIRED, id="older generation"),
        pytest.param(replace(SESSION, displaced=True), USER, 4, False, error_table.KICKED, id="displaced, old token"),
    ],
)
def test_a_token_is_refused_for_the_first_reason_that_holds(
    session: Session | None, user: User | None, generation: int, take_over: bool, reason: Reason | None
) -> None:
    assert refusal(session, user, generation=generation, take_over=take_over) is reason
