"""Column types that mean the same on every engine."""

from typing import Final

from sqlalchemy import BINARY, BigInteger, Integer, LargeBinary, SmallInteger, String
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.types import TypeEngine

# SQLite gives a rowid only to INTEGER, and every integer there has 64 bits.
BIG_INT: Final[TypeEngine[int]] = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
INT: Final[TypeEngine[int]] = Integer()
SMALL_INT: Final[TypeEngine[int]] = SmallInteger()
UUID_BYTES: Final[TypeEngine[bytes]] = BINARY(16).with_variant(LargeBinary(16), "sqlite")
HASH_BYTES: Final[TypeEngine[bytes]] = BINARY(32).with_variant(LargeBinary(32), "sqlite")
BLOB: Final[TypeEngine[bytes]] = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")


def ascii_text(length: int) -> TypeEngine[str]:
    """Text of ASCII characters that compares byte by byte (handles, ids)."""
    return String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


def text(length: int) -> TypeEngine[str]:
    """Text for people, of at most `length` characters; compares by its bytes, as SQLite's does."""
    return String(length).with_variant(
        mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb"
    )
