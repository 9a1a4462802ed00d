"""Addresses are looked at before anything is started."""

import pytest

from im_cli.bench.address import problem_with_source, problem_with_url


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "https://im.example", "http://[::1]:80/", "https://im.example:443/behind/a/proxy"]
)
def test_an_address_of_a_gateway(url: str) -> None:
    assert problem_with_url(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "127.0.0.1:8080",
        "ftp://x",
        "",
        "http://",
        "http://[::1",
        "http://a b",
        "http://x/?y=1",
        "http://me@x",
    ],
)
def test_what_is_none_is_said_with_the_form(url: str) -> None:
    assert (problem_with_url(url) or "").endswith(": write http://host:port or https://host:port")


def test_a_source_is_an_address_of_this_machine() -> None:
    assert problem_with_source("127.0.0.3") is None
    assert "write an IP address" in (problem_with_source("nobody") or "")
    assert "write an IP address" in (problem_with_source("") or "")
    assert "nothing can connect from it" in (problem_with_source("192.0.2.1") or "")
