"""Which pages may connect."""

import pytest

from im_gateway.transport.origins import origin_allowed


@pytest.mark.parametrize(
    ("origin", "host", "allowed", "expected"),
    [
        ("", "chat.example", (), True),
        ("https://chat.example", "chat.example", (), True),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", (), True),
        ("https://evil.example", "chat.example", (), False),
        ("https://chat.example.evil", "chat.example", (), False),
        ("null", "chat.example", (), False),
        ("file://chat.example", "chat.example", (), False),
        ("https://x", "", (), False),
        ("https://friend.example", "chat.example", ("https://friend.example",), True),
        ("https://anything", "chat.example", ("*",), True),
    ],
)
def test_the_own_host_and_listed_origins(origin: str, host: str, allowed: tuple[str, ...], expected: bool) -> None:
    assert origin_allowed(origin, host=host, allowed=allowed) is expected
