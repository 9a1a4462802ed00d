"""The account store service."""

from typing import Any

import pytest

from im_infra import error_table
from im_infra.error_table import CloseCode
from im_infra.errors import ImError
from im_infra.rpc.in_process.channel import InProcessChannel
from im_infra.rpc.in_process.server import InProcessServer
from im_infra.rpc.unary import call_unary
from im_infra.sql.sqlite import SqliteDatabase
from im_proto.repo.v1 import account_pb2 as pb
from im_proto.repo.v1.account_pb2_grpc import AccountStoreServiceStub, add_AccountStoreServiceServicer_to_server
from im_proto.v1.account_pb2 import USER_KIND_REGISTERED
from im_repo.accounts.servicer import AccountStoreServicer

FAR = 10**14


@pytest.fixture
def stub(database: SqliteDatabase, ids: Any) -> AccountStoreServiceStub:
    server = InProcessServer()
    add_AccountStoreServiceServicer_to_server(AccountStoreServicer(database, ids), server)
    return AccountStoreServiceStub(InProcessChannel(server))


async def call(method: Any, request: Any) -> Any:
    return await call_unary(method, request, timeout_s=5)


def session(device_id: str, user_id: int = 0) -> pb.SessionRow:
    return pb.SessionRow(
        user_id=user_id, device_id=device_id, device_class=1, refresh_hash=bytes(32), refresh_expire_time=FAR
    )


async def register(stub: Any, handle: str = "ada", device_id: str = "phone") -> Any:
    user = pb.UserRow(handle=handle, display_name="Ada", kind=USER_KIND_REGISTERED, password_hash="hash")
    return await call(stub.CreateUser, pb.CreateUserRequest(user=user, session=session(device_id)))


async def test_a_user_is_made_read_and_listed(stub: Any) -> None:
    made = await register(stub)
    user_id = made.user.user_id
    assert (await call(stub.GetUser, pb.GetUserRequest(handle="ada"))).user == made.user
    assert (await call(stub.GetUser, pb.GetUserRequest(user_id=user_id))).user == made.user
    assert not (await call(stub.GetUser, pb.GetUserRequest(handle="grace"))).HasField("user")
    [profile] = (await call(stub.GetUsers, pb.GetUsersRequest(user_ids=[user_id, 1]))).users
    assert (profile.user_id, profile.password_hash) == (user_id, "")


async def test_a_taken_handle_is_told_with_its_number(stub: Any) -> None:
    await register(stub)
    with pytest.raises(ImError) as caught:
        await register(stub, device_id="tablet")
    assert caught.value.reason is error_table.HANDLE_TAKEN


async def test_sessions_are_opened_listed_displaced_lifted_and_ended(stub: Any) -> None:
    made = await register(stub)
    user_id, first = made.user.user_id, made.session.session_id
    opened = await call(stub.CreateSession, pb.CreateSessionRequest(session=session("b", user_id), class_limit=1))
    assert [one.session_id for one in opened.displaced] == [first]
    listed = await call(stub.ListSessions, pb.ListSessionsRequest(user_id=user_id))
    assert [one.session_id for one in listed.sessions] == [opened.session.session_id, first]
    lifted = await call(stub.MarkDisplaced, pb.MarkDisplacedRequest(session_ids=[first]))
    assert [one.displaced_time for one in lifted.sessions] == [0]
    marked = await call(stub.MarkDisplaced, pb.MarkDisplacedRequest(session_ids=[first], displaced=True))
    assert marked.sessions[0].displaced_time > 0
    ended = await call(stub.RevokeSessions, pb.RevokeSessionsRequest(user_id=user_id, close_code=4502))
    assert len(ended.revoked) == 2
    found = await call(stub.GetSession, pb.GetSessionRequest(session_id=first))
    assert (found.session.revoked_time > 0, found.user.user_id) == (True, user_id)
    assert not (await call(stub.GetSession, pb.GetSessionRequest(session_id=1))).HasField("session")


async def test_gateways_ask_for_the_time_first_and_then_for_what_came_since(stub: Any) -> None:
    made = await register(stub)
    asked = await call(stub.ListRevocations, pb.ListRevocationsRequest())
    assert (len(asked.revocations), asked.now_time > 10**12) == (0, True)
    await call(stub.RevokeSessions, pb.RevokeSessionsRequest(user_id=made.user.user_id))
    answer = await call(stub.ListRevocations, pb.ListRevocationsRequest(since_time=asked.now_time))
    assert [(row.session_id, row.close_code) for row in answer.revocations] == [
        (made.session.session_id, CloseCode.SESSION_REVOKED)
    ]


async def test_a_user_is_changed_disabled_and_enabled(stub: Any) -> None:
    user_id = (await register(stub)).user.user_id
    changed = await call(stub.UpdateUser, pb.UpdateUserRequest(user_id=user_id, display_name="New", disable=1))
    assert (changed.user.display_name, changed.user.disabled_time > 0, len(changed.revoked)) == ("New", True, 1)
    changed = await call(stub.UpdateUser, pb.UpdateUserRequest(user_id=user_id, disable=-1))
    assert changed.user.disabled_time == 0


async def test_a_refresh_token_is_rotated(stub: Any) -> None:
    made = await register(stub)
    request = pb.RotateRefreshRequest(
        session_id=made.session.session_id, presented_hash=bytes(32), next_hash=b"n" * 32, next_expire_time=FAR + 1
    )
    answer = await call(stub.RotateRefresh, request)
    assert (answer.status, answer.session.refresh_hash) == (pb.ROTATE_STATUS_ROTATED, b"n" * 32)


async def test_invites_are_random_and_spent_by_registering(stub: Any) -> None:
    codes = [(await call(stub.CreateInvite, pb.CreateInviteRequest(uses=1))).code for _ in range(2)]
    assert len(set(codes)) == 2
    for handle, refused in (("ada", False), ("grace", True)):
        user = pb.UserRow(handle=handle, kind=USER_KIND_REGISTERED)
        request = pb.CreateUserRequest(user=user, session=session(handle), invite_code=codes[0])
        if refused:
            with pytest.raises(ImError) as caught:
                await call(stub.CreateUser, request)
            assert caught.value.reason is error_table.INVITE_INVALID
        else:
            await call(stub.CreateUser, request)
