"""Reading a request's head."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from im_gateway.transport.head import HeadInvalidError, parse_head


def test_names_are_lower_case_and_repeated_values_joined() -> None:
    head = parse_head(b"GET /ws?a=b HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.1.1.1\r\nx-forwarded-for:2.2.2.2")
    assert (head.method, head.path, head.version) == ("GET", "/ws", "HTTP/1.1")
    assert head.tokens("x-forwarded-for") == ["1.1.1.1", "2.2.2.2"]
    assert not head.wants_websocket


def test_a_websocket_is_wanted_by_two_headers_in_any_case() -> None:
    assert parse_head(b"GET / HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: keep-alive, UPGRADE").wants_websocket


@pytest.mark.parametrize(
    "data", [b"", b"GET /", b"GET / FTP/1.1", b"GET / HTTP/1.1\r\nnothing", b"GET / HTTP/1.1\r\nA: b\r\n folded: x"]
)
def test_what_is_no_head_is_refused(data: bytes) -> None:
    with pytest.raises(HeadInvalidError):
        parse_head(data)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_a_head_or_refused(data: bytes) -> None:
    with contextlib.suppress(HeadInvalidError):
        parse_head(data)
