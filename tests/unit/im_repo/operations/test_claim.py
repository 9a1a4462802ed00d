"""Claiming operation ids."""

import pytest
from sqlalchemy import Connection

from im_infra import error_table
from im_infra.errors import ImError
from im_repo.operations.claim import claim_operation

OPERATION, OTHER, DIGEST = bytes(16), b"o" * 16, b"d" * 16


def claim(connection: Connection, user_id: int, operation: bytes, digest: bytes, answer: bytes) -> bytes | None:
    return claim_operation(connection, user_id, operation, digest=digest, answer=answer, now=1)


def test_the_first_claim_has_the_effect_and_later_ones_find_its_answer(connection: Connection) -> None:
    assert claim(connection, 7, OPERATION, DIGEST, b"first") is None
    assert claim(connection, 7, OPERATION, DIGEST, b"second") == b"first"


def test_claims_of_other_users_and_operations_are_their_own(connection: Connection) -> None:
    assert claim(connection, 7, OPERATION, DIGEST, b"") is None
    assert claim(connection, 8, OPERATION, DIGEST, b"") is None
    assert claim(connection, 7, OTHER, DIGEST, b"") is None
    assert claim(connection, 7, OTHER, DIGEST, b"") == b""


def test_the_same_id_for_something_else_is_a_conflict(connection: Connection) -> None:
    claim(connection, 7, OPERATION, DIGEST, b"")
    with pytest.raises(ImError) as caught:
        claim(connection, 7, OPERATION, b"x" * 16, b"")
    assert caught.value.reason is error_table.CONFLICT


@pytest.mark.parametrize(("operation", "digest"), [(b"", DIGEST), (OPERATION, b"short")])
def test_ids_and_digests_have_16_bytes(connection: Connection, operation: bytes, digest: bytes) -> None:
    with pytest.raises(ImError) as caught:
        claim(connection, 7, operation, digest, b"")
    assert caught.value.reason is error_table.FIELD_INVALID
