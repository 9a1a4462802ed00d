"""How a transfer fails."""

from im_infra.error_kind import Kind
from im_repo.transfer.errors import DifferenceError, NotEmptyError, OtherSourceError, TransferError


def test_they_are_final_and_of_one_kind() -> None:
    errors: list[TransferError] = [NotEmptyError("x"), OtherSourceError("x"), DifferenceError(["a", "b"])]
    assert {error.kind for error in errors} == {Kind.CONFLICT}
    assert not any(error.retryable for error in errors)


def test_differences_are_all_told() -> None:
    assert "a; b" in DifferenceError(["a", "b"]).message
