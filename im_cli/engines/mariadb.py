"""MariaDB: the database of a distributed cluster, with what is acknowledged synced to disk."""

import os
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from im_cli.engines.engine import LOOPBACK, Engine, Requirement, free_port
from im_cli.exit_code import CommandError, ExitCode

_SERVER: Final = Requirement("mariadbd", "mariadb-server")
_INSTALLER: Final = Requirement("mariadb-install-db", "mariadb-server")
REQUIREMENTS: Final = (_SERVER, _INSTALLER)

_INSTALL_S: Final = 60.0
_PROTOCOL: Final = 10
"""What a handshake of the MySQL protocol begins with; an error would begin with 255."""
_OPTIONS: Final = (
    "--innodb-flush-log-at-trx-commit=1",  # both: an acked message survives a power cut
    "--sync-binlog=1",
    "--log-bin=binlog",
    "--binlog-format=ROW",
    "--binlog-expire-logs-seconds=86400",
    "--server-id=1",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_bin",
    "--skip-name-resolve",
    "--performance-schema=OFF",
    "--key-buffer-size=1M",  # the rest keeps it small: it shares the machine with a whole cluster
    "--aria-pagecache-buffer-size=8M",
    "--table-open-cache=400",
    "--thread-cache-size=32",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MariadbAccount:
    """Who may come in over TCP, and the one database that is theirs."""

    password: str
    user: str = "im"
    database: str = "im"


@dataclass(frozen=True, slots=True)
class MariadbTls:
    """PEM files of the server; with them it refuses connections without TLS."""

    certificate: Path
    key: Path


def mariadb(
    folder: Path,
    account: MariadbAccount,
    *,
    port: int = 0,
    tls: MariadbTls | None = None,
    buffer_pool_mib: int = 64,
    max_connections: int = 200,
    options: Sequence[str] = (),
    statements: Sequence[str] = (),
) -> Engine:
    """A MariaDB in `folder`, not started; its data is made there where there is none.

    Besides the account there is only the system's own user, over the socket `data/mariadb.sock`.

    Args:
        folder: for its data, log and settings; made if absent.
        account: may do everything in its database, which is made if absent.
        port: where it listens on loopback; 0: one that is free now.
        tls: speak TLS, and nothing else.
        buffer_pool_mib: memory for pages, in MiB.
        max_connections: more are refused.
        options: further options of `mariadbd`.
        statements: SQL that its administrator runs at each start.

    Raises:
        CommandError: INTERNAL: the data could not be made; its last words are in the message.
    """
    data, temporary = folder / "data", folder / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    common = [
        f"--datadir={data}",
        f"--tmpdir={temporary}",  # each server clears its own at its start: a shared one would be cleared under others
        *(["--user=root"] if os.geteuid() == 0 else []),  # it refuses to run as root unless told
    ]
    if not (data / "mysql").is_dir():
        _install(common)
    port = port or free_port()
    command = [
        _SERVER.find() or _SERVER.program,
        "--no-defaults",
        *common,
        f"--bind-address={LOOPBACK}",
        f"--port={port}",
        "--socket=mariadb.sock",  # relative to the data: a longer path might not fit a socket's name
        f"--pid-file={folder / 'mariadb.pid'}",
        f"--init-file={_write_statements(folder, account, statements)}",
        f"--innodb-buffer-pool-size={buffer_pool_mib}M",
        f"--max-connections={max_connections}",
        *_OPTIONS,
        *([f"--ssl-cert={tls.certificate}", f"--ssl-key={tls.key}", "--require-secure-transport=ON"] if tls else []),
        *options,
    ]
    return Engine("mariadb", command, folder, port, lambda: _speaks(port))


def _install(common: Sequence[str]) -> None:
    command = [
        _INSTALLER.find() or _INSTALLER.program,
        "--no-defaults",
        *common,
        "--skip-test-db",
        "--skip-name-resolve",
        "--auth-root-authentication-method=socket",  # nobody comes in without a password but the system's own user
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_INSTALL_S)  # noqa: S603 - named by us
    except (OSError, subprocess.SubprocessError) as error:
        words = str(getattr(error, "stderr", "") or error).strip()[-2000:]
        raise CommandError(f"mariadb could not make its data:\n{words}", code=ExitCode.INTERNAL) from error


def _write_statements(folder: Path, account: MariadbAccount, statements: Sequence[str]) -> Path:
    """What it runs before it listens: only its owner reads the file, since the password is in it."""
    path = folder / "init.sql"
    path.touch(mode=0o600)
    path.chmod(0o600)
    user = f"{_quoted(account.user)}@'%'"
    lines = [
        f"CREATE DATABASE IF NOT EXISTS `{account.database}`",
        f"CREATE USER IF NOT EXISTS {user}",
        f"ALTER USER {user} IDENTIFIED BY {_quoted(account.password)}",
        f"GRANT ALL ON `{account.database}`.* TO {user}",
        *statements,
    ]
    path.write_text("".join(f"{line};\n" for line in lines), encoding="utf-8")
    return path


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _speaks(port: int) -> bool:
    """Whether it greets: it does so only after it has run its statements."""
    with socket.create_connection((LOOPBACK, port), timeout=1) as probe:
        greeting = probe.recv(5)
    return len(greeting) == 5 and greeting[4] == _PROTOCOL
