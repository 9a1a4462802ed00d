"""Calls over HTTP: bodies, errors, what is no answer of ours."""

import pytest

from im_proto.v1 import account_pb2
from im_sdk._error_table import ErrorNumber
from im_sdk._errors import ImError, UnreachableError
from im_sdk._http import Http, base_url, socket_url
from tests.sdk_support.live_server import LiveServer, refusal


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://h:1", "http://h:1"),
        ("https://h/", "https://h"),
        ("ws://h:1/ws", "http://h:1"),
        ("wss://h/chat/ws", "https://h/chat"),
    ],
)
def test_addresses_in_any_form(url: str, base: str) -> None:
    assert base_url(url) == base
    assert socket_url(base) == base.replace("http", "ws") + "/ws"


@pytest.mark.parametrize("url", ["h:1", "ftp://h", "http://", ""])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match="not the address of a server"):
        base_url(url)


def http(live: LiveServer) -> Http:
    return Http(live.url, tls=None, timeout_s=5)


async def test_ids_are_strings_and_names_are_the_contracts(live: LiveServer) -> None:
    request = account_pb2.RefreshTokenRequest(refresh_token="refresh-5-1")
    answer = await http(live).call(
        "POST", "/api/v1/refresh", request, account_pb2.RefreshTokenResponse, operation_id="op"
    )
    assert answer.grant.user.user_id == 5
    assert live.calls == [("POST", "/api/v1/refresh", {"refresh_token": "refresh-5-1"}, "op")]


async def test_the_servers_error_is_raised(live: LiveServer) -> None:
    live.http_rule = lambda _path: (429, refusal(ErrorNumber.RATE_LIMITED, retry_after_ms=900))
    with pytest.raises(ImError) as caught:
        await http(live).call("GET", "/api/v1/devices", None, account_pb2.ListDevicesResponse, token="t")
    assert (caught.value.number, caught.value.retry_after_ms) == (ErrorNumber.RATE_LIMITED, 900)


@pytest.mark.parametrize(("status", "retryable"), [(502, True), (429, True), (404, False), (301, False)])
async def test_an_error_of_a_proxy_goes_by_its_status(live: LiveServer, status: int, retryable: bool) -> None:
    live.http_rule = lambda _path: (status, {"oops": 1})
    with pytest.raises(UnreachableError) as caught:
        await http(live).call("GET", "/", None, account_pb2.ListDevicesResponse)
    assert caught.value.retryable == retryable


async def test_an_answer_that_is_not_ours(live: LiveServer) -> None:
    live.http_rule = lambda _path: (200, {"devices": 7})
    with pytest.raises(UnreachableError):
        await http(live).call("GET", "/", None, account_pb2.ListDevicesResponse)


async def test_nobody_listens(unused_tcp_port: int) -> None:
    nobody = Http(f"http://127.0.0.1:{unused_tcp_port}", tls=None, timeout_s=5)
    with pytest.raises(UnreachableError):
        await nobody.call("GET", "/", None, account_pb2.ListDevicesResponse)
