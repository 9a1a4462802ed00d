"""Asking whether a session stands."""

from typing import Any

from im_infra import error_table
from im_logic.accounts.model import Installation


async def test_another_users_or_an_unknown_session_does_not_stand(
    people: Any, phone: Installation, accounts: Any, refused: Any
) -> None:
    grant = await people.register(phone)
    for user_id, session_id in ((grant.user.user_id + 1, grant.session_id), (grant.user.user_id, 1)):
        with refused(error_table.SESSION_REVOKED):
            await accounts.check_session.standing(user_id, session_id, generation=1)


async def test_a_logout_is_among_the_revocations_since_before_it(
    people: Any, phone: Installation, accounts: Any, as_caller: Any
) -> None:
    nothing, before = await accounts.check_session.list_revocations(0)
    grant = await people.register(phone)
    await accounts.end_sessions.logout(as_caller(grant), everywhere=False)
    revocations, after = await accounts.check_session.list_revocations(before)
    assert nothing == []
    assert [(one.session_id, one.generation) for one in revocations] == [(grant.session_id, 1)]
    assert before <= revocations[0].time <= after
