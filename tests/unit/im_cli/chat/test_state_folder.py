from pathlib import Path

import pytest

from im_cli.chat.state_folder import Account, AccountInUseError, StateFolder
from im_cli.exit_code import CommandError, ExitCode
from tests.chat_support.values import GRACE, GUEST, ME

URL = "http://127.0.0.1:8080"


def test_folders_and_files_are_the_owners_alone(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state", URL)
    folder.remember(ME)
    folder.device_id()
    with folder.locked(Account(1, "ada", "Ada")):
        modes = {path.name: path.stat().st_mode & 0o777 for path in folder.path.iterdir()}
    assert modes == {"accounts.json": 0o600, "device": 0o600, "1.lock": 0o600}
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_servers_do_not_share(tmp_path: Path) -> None:
    StateFolder(tmp_path, URL).remember(ME)
    assert StateFolder(tmp_path, "https://chat.example.org").accounts() == []
    assert StateFolder(tmp_path, URL + "/").find() == Account(1, "ada", "Ada Lovelace")


def test_the_device_stays_the_same(tmp_path: Path) -> None:
    assert StateFolder(tmp_path, URL).device_id() == StateFolder(tmp_path, URL).device_id()


def test_accounts_are_found_by_handle_by_guest_name_or_as_the_last_used(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path, URL)
    for user in (ME, GUEST, GRACE):
        folder.remember(user)
    assert [folder.find(handle="@ADA"), folder.find(guest="Visitor"), folder.find()] == [
        Account(1, "ada", "Ada Lovelace"), Account(3, "", "Visitor"), Account(2, "grace", "Grace Hopper"),
    ]  # fmt: skip
    assert folder.find(handle="nobody") is None
    assert folder.find(guest="Grace Hopper") is None
    assert [Account(1, "ada", "A").label, Account(3, "", "V").label] == ["@ada", "V (guest)"]


def test_an_account_is_open_in_one_window(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path, URL)
    account = folder.remember(ME)
    with folder.locked(account), pytest.raises(AccountInUseError) as caught, folder.locked(account):
        pass
    assert caught.value.code is ExitCode.IN_THE_WAY
    with folder.locked(account):
        pass


def test_forgetting_removes_everything_of_the_account(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path, URL)
    folder.remember(ME)
    folder.store_path(1).touch()
    folder.people_path(1).touch()
    folder.forget(1)
    assert [path.name for path in folder.path.iterdir()] == ["accounts.json"]
    assert folder.accounts() == []


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://x", "http://", ""])
def test_what_is_no_address_is_said_to_be_none(tmp_path: Path, url: str) -> None:
    with pytest.raises(CommandError, match="not the address"):
        StateFolder(tmp_path, url)


def test_a_list_of_accounts_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path, URL)
    (folder.path / "accounts.json").write_text("[{]", encoding="utf-8")
    with pytest.raises(CommandError, match="cannot be read"):
        folder.accounts()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError) as caught:
        StateFolder(tmp_path / "file", URL)
    assert caught.value.code is ExitCode.STORAGE
