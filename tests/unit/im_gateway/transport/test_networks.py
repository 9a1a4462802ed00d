"""Whose word about an address counts."""

import pytest

from im_gateway.transport.networks import Networks, client_address

PROXIES = Networks(["10.0.0.0/8", "::1"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("9.9.9.9", ["1.1.1.1"], "9.9.9.9"),
        ("10.0.0.1", ["1.1.1.1"], "1.1.1.1"),
        ("10.0.0.1", ["1.1.1.1", "10.0.0.2"], "1.1.1.1"),
        ("10.0.0.1", ["6.6.6.6", "1.1.1.1"], "1.1.1.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("::1", ["[2001:db8::1]"], "2001:db8::1"),
        ("::ffff:10.0.0.1", ["1.1.1.1"], "1.1.1.1"),
    ],
)
def test_addresses_are_believed_as_far_as_proxies_are_trusted(peer: str, forwarded: list[str], address: str) -> None:
    assert client_address(peer, forwarded, PROXIES) == address


def test_what_is_no_address_is_in_no_network() -> None:
    assert "" not in PROXIES
    assert "localhost" not in PROXIES
    assert "10.1.2.3" in PROXIES


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="x"):
        Networks(["x"])
