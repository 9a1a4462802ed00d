"""Profiles: by id, and by handle."""

from typing import Final

from im_infra import error_table
from im_infra.errors import ImError
from im_logic.asker import Asker
from im_logic.repo_calls import RepoCalls
from im_proto.repo.v1.account_pb2 import UserRow
from im_proto.v1.account_pb2 import FindUserRequest, FindUserResponse, GetUsersRequest, GetUsersResponse, User

MAX_USERS: Final = 100
MAX_HANDLE: Final = 33


class FindUsers:
    """Reads profiles; everybody with an account may.

    Args:
        calls: repo.
    """

    def __init__(self, *, calls: RepoCalls) -> None:
        self._calls = calls

    async def get(self, _asker: Asker, request: GetUsersRequest) -> GetUsersResponse:
        """The profiles that exist; raises ImError(FIELD_INVALID)."""
        if not 1 <= len(request.user_ids) <= MAX_USERS:
            raise ImError(error_table.FIELD_INVALID, f"user_ids: 1 to {MAX_USERS}")
        rows = await self._calls.get_users(sorted(set(request.user_ids)))
        return GetUsersResponse(users=[_to_user(row) for row in rows])

    async def find(self, _asker: Asker, request: FindUserRequest) -> FindUserResponse:
        """The user of a handle, written with or without @ and in any case; raises ImError(USER_NOT_FOUND)."""
        handle = request.handle.removeprefix("@").lower()
        row = await self._calls.find_user(handle) if 0 < len(handle) < MAX_HANDLE and handle.isascii() else None
        if row is None:
            raise ImError(error_table.USER_NOT_FOUND)
        return FindUserResponse(user=_to_user(row))


def _to_user(row: UserRow) -> User:
    return User(user_id=row.user_id, handle=row.handle, display_name=row.display_name, kind=row.kind)  # type: ignore[arg-type]  # an int of the same enum
