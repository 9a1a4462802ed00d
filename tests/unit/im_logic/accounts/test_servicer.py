"""im.logic.v1.AccountService over an in-process channel."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_infra.rpc.in_process import InProcessChannel, InProcessServer
from im_infra.rpc.unary import call_unary
from im_logic.accounts.servicer import AccountServicer, Operations
from im_proto.logic.v1 import account_pb2 as pb
from im_proto.logic.v1 import stream_pb2
from im_proto.logic.v1.account_pb2_grpc import AccountServiceStub, add_AccountServiceServicer_to_server
from im_proto.v1 import account_pb2 as client_pb

PHONE = client_pb.Installation(device_id="phone-0001", device_class=client_pb.DEVICE_CLASS_PHONE, device_name="Phone")


class Client:
    """Calls the service by method name."""

    def __init__(self, accounts: Operations) -> None:
        self.metrics = Metrics()
        self.server = InProcessServer()
        add_AccountServiceServicer_to_server(AccountServicer(accounts, self.metrics), self.server)
        self.channel = InProcessChannel(self.server)

    async def __call__(self, method: str, request: object) -> Any:
        return await call_unary(getattr(AccountServiceStub(self.channel), method), request, timeout_s=5)


@pytest.fixture
async def call(accounts: Operations) -> AsyncIterator[Client]:
    client = Client(accounts)
    yield client
    await client.channel.close(None)


def caller(grant: client_pb.TokenGrant) -> stream_pb2.Caller:
    return stream_pb2.Caller(user_id=grant.user.user_id, session_id=grant.session_id, user_kind=grant.user.kind)


async def registered(call: Client) -> client_pb.TokenGrant:
    asked = client_pb.RegisterRequest(handle="alice", password="correct horse", installation=PHONE)
    return (await call("Register", pb.RegisterRequest(request=asked))).grant


async def test_the_life_of_an_account(call: Client) -> None:
    """Every method once, in the order a client would."""
    asked = client_pb.CreateGuestRequest(display_name="Zoe", installation=PHONE)
    guest = (await call("CreateGuest", pb.CreateGuestRequest(request=asked))).grant
    assert guest.user.kind == client_pb.USER_KIND_GUEST
    upgrade = client_pb.UpgradeGuestRequest(handle="zoe", password="correct horse")
    grant = (await call("UpgradeGuest", pb.UpgradeGuestRequest(request=upgrade, caller=caller(guest)))).grant
    assert (grant.user.user_id, grant.user.handle) == (guest.user.user_id, "zoe")

    login = client_pb.LoginRequest(
        handle="zoe",
        password="correct horse",
        installation=client_pb.Installation(device_id="browser-01", device_class=client_pb.DEVICE_CLASS_WEB),
    )
    browser = (await call("Login", pb.LoginRequest(request=login))).grant
    change = client_pb.ChangePasswordRequest(current_password="correct horse", new_password="battery staple")
    kept = (await call("ChangePassword", pb.ChangePasswordRequest(request=change, caller=caller(browser)))).grant
    assert kept.session_id == browser.session_id
    refresh = client_pb.RefreshTokenRequest(refresh_token=kept.refresh_token)
    fresh = (await call("RefreshToken", pb.RefreshTokenRequest(request=refresh))).grant
    assert fresh.access_expire_time > 0
    assert fresh.refresh_expire_time > fresh.access_expire_time

    devices = (await call("ListDevices", pb.ListDevicesRequest(caller=caller(browser)))).devices
    assert [(device.device_id, device.current) for device in devices] == [("browser-01", True)]
    ticket = await call("CreateTicket", pb.CreateTicketRequest(caller=caller(browser)))
    assert ticket.ticket
    check = pb.CheckSessionRequest(user_id=browser.user.user_id, session_id=browser.session_id, generation=2)
    assert (await call("CheckSession", check)).user_kind == client_pb.USER_KIND_REGISTERED

    since = (await call("ListRevocations", pb.ListRevocationsRequest())).now_time
    await call("Logout", pb.LogoutRequest(caller=caller(browser)))
    told = await call("ListRevocations", pb.ListRevocationsRequest(since_time=since - 10_000))
    assert browser.session_id in {revocation.session_id for revocation in told.revocations}
    with pytest.raises(ImError) as caught:
        await call("CheckSession", check)
    assert caught.value.reason is error_table.SESSION_REVOKED


async def test_an_error_arrives_as_it_was_raised_and_is_counted(call: Client) -> None:
    asked = client_pb.LoginRequest(handle="nobody", password="x", installation=PHONE)
    with pytest.raises(ImError) as caught:
        await call("Login", pb.LoginRequest(request=asked))
    assert caught.value.reason is error_table.CREDENTIALS_WRONG
    assert 'im_logic_entered_total{outcome="CREDENTIALS_WRONG",way="login"} 1.0' in call.metrics.render().decode()


async def test_a_bad_installation_names_its_field(call: Client) -> None:
    asked = client_pb.LoginRequest(handle="alice", password="x", installation=client_pb.Installation(device_id="no"))
    with pytest.raises(ImError, match="device_id") as caught:
        await call("Login", pb.LoginRequest(request=asked))
    assert caught.value.reason is error_table.FIELD_INVALID


async def test_another_session_is_revoked(call: Client) -> None:
    grant = await registered(call)
    with pytest.raises(ImError) as caught:
        await call(
            "RevokeDevice",
            pb.RevokeDeviceRequest(request=client_pb.RevokeDeviceRequest(session_id=5), caller=caller(grant)),
        )
    assert caught.value.reason is error_table.DEVICE_NOT_FOUND
