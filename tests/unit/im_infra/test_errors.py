"""What a peer's failure becomes on our side."""

import pytest

from im_infra import error_table
from im_infra.error_kind import Kind
from im_infra.errors import ImError, NotStartedError, from_number


@pytest.mark.parametrize("reason", error_table.REASONS)
def test_every_reason_crosses_the_wire_by_its_number(reason: error_table.Reason) -> None:
    error = from_number(reason.number, "words", retry_after_ms=5, detail=b"d")
    assert (error.reason, error.message, error.retry_after_ms, error.detail) == (reason, "words", 5, b"d")
    assert (error.kind, error.retryable) == (reason.kind, reason.retryable)


def test_a_newer_peers_number_is_an_internal_error_that_keeps_its_words() -> None:
    error = from_number(9999, "something new")
    assert (error.kind, error.message) == (Kind.INTERNAL, "something new")


def test_what_was_not_started_may_go_elsewhere() -> None:
    assert isinstance(from_number(6005, "draining", not_started=True), NotStartedError)


def test_an_error_without_words_says_what_the_table_says() -> None:
    error = ImError(error_table.MUTED)
    assert str(error) == error_table.MUTED.meaning
    assert "MUTED" in repr(error)
