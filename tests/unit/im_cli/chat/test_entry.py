from pathlib import Path

import pytest

from im_cli.chat.entry import Door
from im_cli.chat.state_folder import AccountInUseError, StateFolder
from im_sdk import ImError
from tests.chat_support.screen import PASSWORD, fresh_handle
from tests.support.cluster import Cluster


@pytest.fixture
def door(cluster: Cluster, tmp_path: Path) -> Door:
    return Door(cluster.url, StateFolder(tmp_path, cluster.url))


async def test_a_login_is_kept_for_the_next_start(door: Door) -> None:
    handle = fresh_handle()
    async with door.enter(await door.register(handle, PASSWORD)) as entrance:
        await entrance.client.connect()
    account = door.folder.find(handle=handle)
    assert account is not None
    async with door.return_as(account) as again:
        assert again is not None
        assert again.client.user.handle == handle
        assert again.client.tokens.device_id == door.folder.device_id()
    assert door.folder.store_path(account.user_id).stat().st_mode & 0o777 == 0o600


async def test_a_guest_is_kept_by_name(door: Door) -> None:
    async with door.enter(await door.guest("Visitor")):
        pass
    assert door.folder.find(guest="Visitor") is not None


async def test_an_account_is_open_once(door: Door) -> None:
    tokens = await door.register(fresh_handle(), PASSWORD)
    async with door.enter(tokens):
        with pytest.raises(AccountInUseError):
            async with door.enter(tokens):
                pass


async def test_logging_out_ends_the_session_and_forgets(door: Door) -> None:
    handle = fresh_handle()
    async with door.enter(await door.register(handle, PASSWORD)) as entrance:
        account = entrance.account
    assert await door.log_out(account)
    assert door.folder.find(handle=handle) is None
    assert not door.folder.store_path(account.user_id).exists()
    with pytest.raises(ImError):
        await door.login(handle, "not the password")
    assert (await door.login(handle, PASSWORD)).user.handle == handle
