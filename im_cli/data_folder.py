"""The folder that holds everything of an embedded cluster, and the lock that keeps it to one process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from im_cli.exit_code import CommandError, ExitCode

DATABASE_NAME: Final = "im.sqlite3"
SECRETS_NAME: Final = "secrets.json"
LOCK_NAME: Final = "lock"


class DataFolder:
    """Where things are in a data folder.

    Args:
        path: the folder; made by `create`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.path / DATABASE_NAME

    @property
    def secrets(self) -> Path:
        """The keys that the cluster made for itself, mode 0600."""
        return self.path / SECRETS_NAME

    def create(self) -> None:
        """Make the folder, readable by its owner only.

        Raises:
            CommandError: STORAGE when that is not possible.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(
                f"the data folder {self.path} cannot be made: {error.strerror}",
                code=ExitCode.STORAGE,
                advice="name another one with --data-dir",
            ) from error

    def require_database(self) -> None:
        """Raise CommandError (REFUSED) where no cluster was ever started."""
        if not self.database.exists():
            raise CommandError(
                f"there is no cluster in {self.path}",
                code=ExitCode.REFUSED,
                advice="start one with `im up`, or name its folder with --data-dir",
            )

    @contextmanager
    def locked(self, name: str = LOCK_NAME) -> Iterator[None]:
        """Hold the folder, or under another lock's name a part of it; the kernel lets go however the process ends.

        Raises:
            CommandError: IN_THE_WAY when another process holds it.
        """
        with (self.path / name).open("a+", encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                holder = file.read().strip() or "unknown"
                raise CommandError(
                    f"another process (pid {holder}) runs the cluster in {self.path}",
                    code=ExitCode.IN_THE_WAY,
                    advice="stop it, or name another folder with --data-dir",
                ) from error
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield
