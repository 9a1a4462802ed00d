"""The store over restarts of a client."""

import asyncio
import stat
from pathlib import Path

import pytest

from im_sdk import Client, ClosedError, LocalStore, MessageReceived, StoreError
from tests.sdk_support.live_server import LiveServer
from tests.sdk_support.people import FAST, signed_in, until


async def test_the_next_run_sends_what_was_not_sent(live: LiveServer, tmp_path: Path) -> None:
    """The program ends while a message's outcome is unknown: it is sent again with the same id, and stored once."""
    path = tmp_path / "ada"
    ada = await signed_in(live, "ada", store=LocalStore(path))
    log = live.model.make({1, 2})
    live.silent = True
    waiting = [asyncio.ensure_future(ada.send(log.conversation_id, text)) for text in ("first", "second")]
    async with asyncio.timeout(10):
        while not log.entries:
            await asyncio.sleep(0.01)
    await ada.close()
    for future in waiting:
        with pytest.raises(ClosedError):
            await future
    live.silent = False
    async with Client(live.url, store=LocalStore(path), settings=FAST) as again:
        await again.login("ada", "correct horse")
        await again.connect()
        await again.send(log.conversation_id, "third")
    assert [entry.content.text.text for entry in log.entries] == ["first", "second", "third"]


async def test_what_was_missed_between_runs_comes_as_events(live: LiveServer, tmp_path: Path) -> None:
    path = tmp_path / "ada"
    log = live.model.make({1, 2})
    async with await signed_in(live, "ada", store=LocalStore(path)) as ada:
        live.model.append(log, 2, "seen")
        live.flush()
        await until(ada.events(), MessageReceived)
    live.model.append(log, 2, "missed")
    store = LocalStore(path)
    async with Client(live.url, store=store, settings=FAST) as again:
        await again.login("ada", "correct horse")
        await again.connect()
        event = await until(again.events(), MessageReceived)
        assert event.message.text == "missed"
        assert [m.text for m in await store.messages(log.conversation_id)] == ["seen", "missed"]


async def test_it_belongs_to_one_account_of_one_server(live: LiveServer, tmp_path: Path) -> None:
    path = tmp_path / "ada"
    async with await signed_in(live, "ada", store=LocalStore(path)):
        pass
    with pytest.raises(StoreError) as account:
        await signed_in(live, "grace", store=LocalStore(path))
    assert account.value.name == "STORE_OF_OTHER_ACCOUNT"
    refused = LocalStore(path)
    with pytest.raises(StoreError) as server:
        await refused.open("http://elsewhere")
    assert server.value.name == "STORE_OF_OTHER_SERVER"
    with pytest.raises(StoreError, match="not open"):
        await refused.messages(1)


@pytest.mark.parametrize("keep", [True, False])
async def test_tokens_are_kept_only_when_asked_for(live: LiveServer, tmp_path: Path, keep: bool) -> None:
    path = tmp_path / "ada"
    async with await signed_in(live, "ada", store=LocalStore(path, keep_tokens=keep)) as ada:
        access = ada.tokens.access_token
        device_id = ada.tokens.device_id
    assert (access.encode() in path.read_bytes()) == keep
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    async with Client(live.url, store=LocalStore(path, keep_tokens=keep)) as again:
        user = await again.resume()
        assert (user is not None) == keep
        if keep:
            await again.connect()
            assert again.tokens.device_id == device_id
        else:
            await again.login("ada", "correct horse")
            assert again.tokens.device_id == device_id


async def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "poem").write_text("so much depends upon " * 500)
    with pytest.raises(StoreError) as caught:
        await LocalStore(tmp_path / "poem").open("http://h")
    assert caught.value.name == "STORE_UNREADABLE"


async def test_a_closed_store(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "ada")
    with pytest.raises(StoreError):
        await store.messages(1)
    await store.open("http://h")
    await store.close()
    with pytest.raises(StoreError):
        await store.messages(1)
