"""The calls about accounts."""

import random

import pytest

from im_sdk import DeviceClass, ExhaustedError, Tokens
from im_sdk._accounts import Accounts
from im_sdk._error_table import ErrorNumber
from im_sdk._http import Http
from tests.sdk_support.live_server import LiveServer, refusal


@pytest.fixture
def accounts(live: LiveServer) -> Accounts:
    numbers = iter(range(100))
    return Accounts(
        Http(live.url, tls=None, timeout_s=5),
        device_id="device-1",
        device_class=DeviceClass.PHONE,
        device_name="a phone",
        new_id=lambda: f"operation-{next(numbers)}",
        source=random.Random(1),
    )


async def test_every_way_in_tells_where_the_client_runs(live: LiveServer, accounts: Accounts) -> None:
    await accounts.register("ada", "correct horse", "Ada", "")
    await accounts.login("ada", "correct horse", take_over=True)
    await accounts.guest("Grace")
    installation = {"device_id": "device-1", "device_class": "DEVICE_CLASS_PHONE", "device_name": "a phone"}
    assert [path for _, path, _, _ in live.calls] == ["/api/v1/register", "/api/v1/login", "/api/v1/guests"]
    assert all(body["installation"] == installation for _, _, body, _ in live.calls)
    assert [key for *_, key in live.calls] == ["operation-0", "", "operation-1"]


async def test_a_grant_becomes_tokens(accounts: Accounts) -> None:
    tokens = await accounts.register("ada", "correct horse", "Ada", "")
    assert (tokens.user.handle, tokens.device_id, tokens.session_id) == ("ada", "device-1", 7)
    assert tokens.access_token.startswith("token-1")
    assert "token-1" not in repr(tokens)
    renewed = await accounts.refresh(tokens.refresh_token)
    assert renewed.refresh_token != tokens.refresh_token


async def test_the_session_is_used_where_one_is_needed(live: LiveServer, accounts: Accounts) -> None:
    grant = live.grant(1, "ada")
    live.http_rule = lambda path: (200, grant) if path in {"/api/v1/password", "/api/v1/guests/upgrade"} else None
    assert isinstance(await accounts.upgrade("token", "ada", "correct horse", "", ""), Tokens)
    assert isinstance(await accounts.change_password("token", "correct horse", "battery staple"), Tokens)
    assert [device.current for device in await accounts.devices("token")] == [True]
    await accounts.revoke_device("token", 5)
    await accounts.logout("token", everywhere=True)
    assert [(method, path) for method, path, _, _ in live.calls] == [
        ("POST", "/api/v1/guests/upgrade"),
        ("POST", "/api/v1/password"),
        ("GET", "/api/v1/devices"),
        ("DELETE", "/api/v1/devices/5"),
        ("POST", "/api/v1/logout"),
    ]


async def test_a_busy_server_is_asked_a_few_times(live: LiveServer, accounts: Accounts) -> None:
    live.http_rule = lambda _path: (503, refusal(ErrorNumber.OVERLOADED))
    with pytest.raises(ExhaustedError):
        await accounts.guest("Ada")
    assert len(live.calls) == 4


async def test_a_login_is_not_repeated(live: LiveServer, accounts: Accounts) -> None:
    live.http_rule = lambda _path: (503, refusal(ErrorNumber.OVERLOADED))
    with pytest.raises(ExhaustedError):
        await accounts.login("ada", "correct horse", take_over=False)
    assert len(live.calls) == 1
