"""What `im chat` keeps between starts: which accounts it knows, their tokens and messages. Folder 0700, files 0600.

STATE/127.0.0.1_8080/accounts.json       the accounts of one server, the last used first
STATE/127.0.0.1_8080/device              this installation's id
STATE/127.0.0.1_8080/ID.sqlite3          an account's tokens, cursors, messages and unsent messages (im_sdk's store)
STATE/127.0.0.1_8080/ID.people.json      names it has met
STATE/127.0.0.1_8080/ID.lock             held while a window of it is open
"""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from im_cli.exit_code import CommandError, ExitCode
from im_sdk import User, UserKind


@dataclass(frozen=True, slots=True)
class Account:
    """An account that was used here."""

    user_id: int
    handle: str
    """Empty for guests."""
    name: str

    @property
    def label(self) -> str:
        """For people."""
        return f"@{self.handle}" if self.handle else f"{self.name} (guest)"


class AccountInUseError(CommandError):
    """Another window of this account is open."""

    def __init__(self, account_label: str) -> None:
        super().__init__(
            f"{account_label} is open in another window",
            code=ExitCode.IN_THE_WAY,
            advice="close that one, or come in as somebody else with --handle or --guest",
        )


class StateFolder:
    """One server's part of the state folder.

    Args:
        root: the state folder; made when needed.
        url: the server.

    Raises:
        CommandError: USAGE when `url` is no address, STORAGE when the folder cannot be made.
    """

    def __init__(self, root: Path, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https", "ws", "wss"} or not parts.hostname:
            raise CommandError(
                f"{url!r} is not the address of a server",
                code=ExitCode.USAGE,
                advice="it looks like http://127.0.0.1:8080",
            )
        self.path = root / re.sub(r"[^A-Za-z0-9.-]+", "_", f"{parts.netloc}{parts.path}".strip("/"))
        try:
            for folder in (root, self.path):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                folder.chmod(0o700)
        except OSError as error:
            raise CommandError(
                f"the state folder {self.path} cannot be used: {error.strerror}",
                code=ExitCode.STORAGE,
                advice="name another one with --state-dir",
            ) from error

    def device_id(self) -> str:
        """This installation's id, made at the first call."""
        path = self.path / "device"
        if not path.exists():
            self._write(path, uuid4().hex)
        return path.read_text(encoding="utf-8").strip()

    def accounts(self) -> list[Account]:
        """The accounts that are kept, the last used first."""
        path = self.path / "accounts.json"
        if not path.exists():
            return []
        try:
            rows = json.loads(path.read_text(encoding="utf-8"))
            return [Account(int(row["user_id"]), str(row["handle"]), str(row["name"])) for row in rows]
        except (ValueError, KeyError, TypeError) as error:
            raise CommandError(
                f"{path} cannot be read: {error}", code=ExitCode.STORAGE, advice="remove it and log in again"
            ) from error

    def find(self, *, handle: str = "", guest: str = "") -> Account | None:
        """The kept account of a handle or of a guest's name; without either, the last used one."""
        handle = handle.removeprefix("@").lower()
        for account in self.accounts():
            if guest:
                if not account.handle and account.name == guest:
                    return account
            elif not handle or account.handle == handle:
                return account
        return None

    def remember(self, user: User) -> Account:
        """It was used just now."""
        account = Account(user.user_id, user.handle if user.kind is not UserKind.GUEST else "", user.display_name)
        others = [other for other in self.accounts() if other.user_id != account.user_id]
        self._keep([account, *others])
        return account

    def forget(self, user_id: int) -> None:
        """Remove all that is kept of an account."""
        self._keep([account for account in self.accounts() if account.user_id != user_id])
        for suffix in (".sqlite3", ".sqlite3-wal", ".sqlite3-shm", ".people.json", ".lock"):
            (self.path / f"{user_id}{suffix}").unlink(missing_ok=True)

    def store_path(self, user_id: int) -> Path:
        """The SDK's store of an account."""
        return self.path / f"{user_id}.sqlite3"

    def people_path(self, user_id: int) -> Path:
        """The names an account has met."""
        return self.path / f"{user_id}.people.json"

    @contextmanager
    def locked(self, account: Account) -> Iterator[None]:
        """Hold an account: two windows would renew each other's tokens away.

        Raises:
            AccountInUseError: another window holds it.
        """
        descriptor = os.open(self.path / f"{account.user_id}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AccountInUseError(account.label) from None
            yield
        finally:
            os.close(descriptor)

    def _keep(self, accounts: list[Account]) -> None:
        self._write(self.path / "accounts.json", json.dumps([asdict(account) for account in accounts]))

    def _write(self, path: Path, text: str) -> None:
        """Whole or not at all, readable by its owner alone."""
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
