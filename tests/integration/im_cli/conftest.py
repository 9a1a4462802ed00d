"""Commands run as a person runs them: as processes, on folders of their own."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.support.mariadb import MariadbServer

Done: TypeAlias = "subprocess.CompletedProcess[str]"
Im = Callable[..., Done]


def run_im(
    *arguments: str | Path, environment: Mapping[str, str] | None = None, text: str = "", timeout_s: float = 60
) -> Done:
    """Run `im` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "im_cli.main", *map(str, arguments)],
        capture_output=True,
        text=True,
        input=text,
        timeout=timeout_s,
        check=False,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "120", **(environment or {})},
    )


@pytest.fixture(scope="session")
def im() -> Im:
    return run_im


@dataclass(frozen=True)
class ServerPlace:
    """A database of a real server, and how commands and processes are told of it."""

    server: MariadbServer
    database: str
    config: Path
    environment: Mapping[str, str]
    """Where the password is: for commands that are given `config`."""

    @property
    def settings(self) -> dict[str, str]:
        """All of it as variables, for processes without `config`."""
        return {
            "IM_SQL__KIND": "mysql",
            "IM_SQL__MYSQL__PORT": str(self.server.engine.port),
            "IM_SQL__MYSQL__DATABASE": self.database,
            **self.environment,
        }

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask as the administrator."""
        return self.server.administer(f"USE {self.database}", statement)


def server_place(server: MariadbServer, database: str, folder: Path) -> ServerPlace:
    """Write what commands are given into `folder`."""
    settings = server.settings(database)
    config = folder / f"{database}.toml"
    place = f'port = {settings.port}\ndatabase = "{database}"\n'
    config.write_text(f'[sql]\nkind = "mysql"\n[sql.mysql]\n{place}', encoding="utf-8")
    password = folder / "password"
    password.write_text(settings.password.get_secret_value() + "\n", encoding="utf-8")
    return ServerPlace(server, database, config, {"IM_SQL__MYSQL__PASSWORD_FILE": str(password)})


@pytest.fixture
def target(mariadb_server: MariadbServer, mariadb_database: str, tmp_path: Path) -> ServerPlace:
    """An empty database."""
    return server_place(mariadb_server, mariadb_database, tmp_path)
