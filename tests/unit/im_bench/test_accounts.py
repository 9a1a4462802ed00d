"""Accounts that cannot be had, and files that hold none."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from im_bench.accounts import AccountApi, PreparationError, UsersFile, made_up
from im_bench.trouble import Trouble

URL = "http://x"


async def refused(respond: Any, monkeypatch: pytest.MonkeyPatch) -> PreparationError:
    """What is raised when the server answers so."""
    client = httpx.AsyncClient

    def made(**given: Any) -> httpx.AsyncClient:
        return client(base_url=given["base_url"], transport=httpx.MockTransport(respond))

    monkeypatch.setattr(httpx, "AsyncClient", made)
    with pytest.raises(PreparationError) as caught:
        await AccountApi(URL).make("guest", 1, progress=lambda _account: None)
    return caught.value


async def test_limits_a_silent_address_and_a_foreign_server_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("", request=request)

    cases = (
        (lambda _: httpx.Response(429, json={"retryable": False}), Trouble.LIMITED, "429"),
        (silent, Trouble.NO_SERVER, "ConnectTimeout"),
        (lambda _: httpx.Response(404, text="nothing here"), Trouble.OTHER, "404"),
        (lambda _: httpx.Response(200, text="<html>"), Trouble.OTHER, "no gateway of ours"),
        (lambda _: httpx.Response(200, json={"grant": {}}), Trouble.OTHER, "no gateway of ours"),
    )
    for respond, trouble, said in cases:
        with monkeypatch.context() as patched:
            error = await refused(respond, patched)
        assert (error.trouble, said in str(error)) == (trouble, True), str(error)


def test_a_file_gives_back_what_was_saved_for_its_server_only(tmp_path: Path) -> None:
    file = UsersFile(tmp_path / "users.json")
    assert file.load(URL) == []
    file.save(URL, made_up(2))
    assert file.load(URL) == made_up(2)
    with pytest.raises(PreparationError, match="those of http://x, not of http://y"):
        file.load("http://y")
    with pytest.raises(PreparationError, match="name it with --url"):
        file.load(None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "it is no JSON"),
        ("[]", "is JSON, but no file of `im bench prepare`"),
        ("{}", "is JSON, but no file of"),
        (json.dumps({"url": URL, "accounts": [{"name": "x"}]}), "is JSON, but no file of"),
        (json.dumps({"url": URL, "accounts": ["x"]}), "is JSON, but no file of"),
    ],
)
def test_a_foreign_file_is_told(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PreparationError, match=said):
        UsersFile(path).load(URL)
