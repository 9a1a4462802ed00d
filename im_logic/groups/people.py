"""Who is to come into a group: there, and of a kind that may."""

from collections.abc import Sequence
from typing import Final

from im_infra import error_table
from im_infra.errors import ImError
from im_logic.groups.rules import may_be_member
from im_logic.repo_calls import RepoCalls

_USERS_A_CALL: Final = 500


async def check_people(calls: RepoCalls, user_ids: Sequence[int]) -> None:
    """Make sure that all of them exist and may be members.

    Raises:
        ImError: USER_NOT_FOUND, PERMISSION_DENIED, both naming the first one.
    """
    for start in range(0, len(user_ids), _USERS_A_CALL):
        some = user_ids[start : start + _USERS_A_CALL]
        kinds = {row.user_id: row.kind for row in await calls.get_users(some)}
        for user_id in some:
            if user_id not in kinds:
                raise ImError(error_table.USER_NOT_FOUND, f"user_ids: there is no user {user_id}")
            if not may_be_member(kinds[user_id]):
                raise ImError(error_table.PERMISSION_DENIED, f"user_ids: {user_id} is a guest")
