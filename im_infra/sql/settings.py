"""How the database is reached."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from im_infra.settings import Section


class SqliteSettings(Section):
    """The embedded member: one file, in the data folder unless its path is absolute."""

    path: Path = Field(
        default=Path("im.sqlite3"), description="The database file; a relative path lies in the data folder."
    )
    reader_threads: int = Field(default=3, ge=1, le=16, description="Threads that read side by side; one more writes.")
    busy_timeout_ms: int = Field(
        default=5_000,
        ge=1,
        le=60_000,
        description="Milliseconds to wait for another process's lock before STORAGE_BUSY is answered.",
    )
    checkpoint_pages: int = Field(
        default=16_000,
        ge=100,
        description="Pages (4 KiB) of write-ahead log after which commits move them into the database file themselves, "
        "because the thread that does so beside them has fallen behind.",
    )
    cache_kib: int = Field(
        default=65_536, ge=1_024, description="KiB of pages that the writing connection keeps in memory."
    )


class MysqlTlsSettings(Section):
    """TLS to the database server; its certificate is always checked."""

    enabled: bool = Field(default=False, description="Speak TLS, and refuse a server that does not.")
    ca: Path | None = Field(
        default=None, description="PEM file of the authorities that may sign the server; unset: the system's."
    )
    certificate: Path | None = Field(default=None, description="PEM file of our own certificate; unset: none is shown.")
    private_key: Path | None = Field(
        default=None, description="PEM file of its private key; unset: it is in the certificate's file."
    )


class MysqlSettings(Section):
    """The distributed member: a MySQL or MariaDB server, shared by all processes of a cluster."""

    host: str = Field(default="127.0.0.1", description="The server's name or address.")
    port: int = Field(default=3306, ge=1, le=65_535, description="The server's port.")
    user: str = Field(default="im", description="Who we are to the server.")
    password: SecretStr = Field(default=SecretStr(""), description="The user's password; there is no default.")
    database: str = Field(default="im", description="The database, which must be there; its tables are made by us.")
    append_connections: int = Field(
        default=2, ge=1, le=16, description="Connections that append messages, each one batch at a time."
    )
    write_connections: int = Field(
        default=8, ge=1, le=256, description="Connections for all other writes; more writes wait for one."
    )
    read_connections: int = Field(
        default=8, ge=1, le=256, description="Connections for reads; more reads wait for one."
    )
    connect_timeout_s: float = Field(
        default=3.0, gt=0, le=60, description="How long making a connection may take, in seconds."
    )
    unit_timeout_s: float = Field(
        default=15.0,
        gt=0,
        le=600,
        description="How long a transaction may take, with its wait for a connection; then it is given up, in seconds.",
    )
    lock_wait_timeout_s: int = Field(
        default=2, ge=1, le=60, description="How long to wait for a row's lock before STORAGE_BUSY, in seconds."
    )
    tls: MysqlTlsSettings = MysqlTlsSettings()


class SqlSettings(Section):
    """Which member of the family, and its own section."""

    kind: Literal["sqlite", "mysql"] = Field(
        default="sqlite",
        description="The engine: `sqlite` is a file of this machine, `mysql` a MySQL or MariaDB server.",
    )
    sqlite: SqliteSettings = SqliteSettings()
    mysql: MysqlSettings = MysqlSettings()

    @model_validator(mode="after")
    def _needs_a_password(self) -> Self:
        if self.kind == "mysql" and not self.mysql.password.get_secret_value():
            raise ValueError("mysql.password is needed: there is no default")
        return self
