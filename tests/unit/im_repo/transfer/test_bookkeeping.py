"""What the target remembers of a transfer."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, create_engine

from im_repo.migrations.upgrade import HEAD, SchemaError, upgrade
from im_repo.schema import MESSAGE, OPERATION
from im_repo.transfer import bookkeeping
from im_repo.transfer.bookkeeping import Position
from im_repo.transfer.errors import OtherSourceError


@pytest.fixture
def engine() -> Iterator[Engine]:
    """The schema as a product's process makes it, with its revision."""
    engine = create_engine("sqlite://")
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        upgrade(connection)
        yield connection


def test_it_is_begun_ended_and_then_unknown(connection: Connection) -> None:
    assert not bookkeeping.is_announced(connection)
    assert not bookkeeping.is_begun(connection)
    bookkeeping.begin(connection, "source")
    assert bookkeeping.is_begun(connection)
    bookkeeping.end(connection)
    assert not bookkeeping.is_announced(connection)


def test_a_beginning_that_was_cut_short_is_begun_again(connection: Connection) -> None:
    """On a server the table is there before its rows."""
    bookkeeping.TRANSFER.create(connection)
    assert bookkeeping.is_announced(connection)
    assert not bookkeeping.is_begun(connection)
    bookkeeping.begin(connection, "source")
    assert bookkeeping.is_begun(connection)


def test_keys_of_every_kind_are_remembered(connection: Connection) -> None:
    bookkeeping.begin(connection, "source")
    positions = bookkeeping.positions(connection, "source", HEAD)
    assert set(positions.values()) == {Position(None, 0)}
    messages, operations = Position((7, 9), 500), Position((3, b"\xff" * 16), 20)
    bookkeeping.advance(connection, MESSAGE, positions["message"], messages)
    bookkeeping.advance(connection, OPERATION, positions["operation"], operations)
    found = bookkeeping.positions(connection, "source", HEAD)
    assert (found["message"], found["operation"]) == (messages, operations)


def test_another_source_another_version_and_another_process_are_told(connection: Connection) -> None:
    bookkeeping.begin(connection, "source")
    with pytest.raises(OtherSourceError, match="other data"):
        bookkeeping.positions(connection, "another", HEAD)
    with pytest.raises(SchemaError, match="9999"):
        bookkeeping.positions(connection, "source", "9999")
    at = Position((7, 9), 500)
    with pytest.raises(OtherSourceError, match="same time"):
        bookkeeping.advance(connection, MESSAGE, at, at)
