"""Drafts, and the batch unit with everything that tests rarely care about filled in."""

import itertools
from collections.abc import Callable
from typing import Protocol

import pytest
from sqlalchemy import Connection

from im_infra.sql.statements import close
from im_proto.v1.message_pb2 import MESSAGE_TYPE_TEXT, Content, Text
from im_repo.log.append_batch import BatchResult, BatchTerms, append_batch
from im_repo.log.draft import Draft, Outcome, Stored
from im_repo.log.fanout_class import FanoutBounds

_NUMBERS = itertools.count(1)
_BOUNDS = FanoutBounds()


class MakeDraft(Protocol):
    def __call__(self, conversation_id: int, sender_id: int, **fields: object) -> Draft: ...


class Append(Protocol):
    def __call__(self, *drafts: Draft, **arguments: object) -> BatchResult: ...


@pytest.fixture
def draft() -> MakeDraft:
    """A text of its own identity; fields given stand in the place of the usual ones."""

    def make(conversation_id: int, sender_id: int, **fields: object) -> Draft:
        number = next(_NUMBERS)
        usual = Draft(
            conversation_id=conversation_id,
            sender_id=sender_id,
            client_message_id=number.to_bytes(16),
            digest=number.to_bytes(16),
            type=MESSAGE_TYPE_TEXT,
            ref_seq=0,
            countable=True,
            body=Content(text=Text(text=f"text {number}")).SerializeToString(),
            deny_version=1,
        )
        return usual._replace(**fields)

    return make


@pytest.fixture
def append(connection: Connection) -> Append:
    """Run the unit in the test's transaction."""

    def run(*drafts: Draft, bounds: FanoutBounds = _BOUNDS, confirmed: tuple[int, ...] = ()) -> BatchResult:
        closing = append_batch(
            connection,
            drafts,
            message_ids=[next(_NUMBERS) for _ in drafts],
            terms=BatchTerms("boot", sweep_after_ms=3_000, bounds=bounds),
            confirmed=confirmed,
        )
        return close(connection, closing)

    return run


@pytest.fixture
def append_one(append: Append) -> Callable[[Draft], Outcome]:
    """Append a batch of one."""
    return lambda one: append(one).outcomes[0]


@pytest.fixture
def store(append: Append) -> Callable[[Draft], Stored]:
    """Append a batch of one that is not refused."""

    def run(one: Draft) -> Stored:
        outcome = append(one).outcomes[0]
        assert isinstance(outcome, Stored), outcome
        return outcome

    return run
