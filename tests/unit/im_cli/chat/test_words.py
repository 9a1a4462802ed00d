import pytest

from im_cli.chat.words import unreachable_reason, words_for
from im_sdk import ErrorNumber, ImError, UnreachableError


@pytest.mark.parametrize("number", list(ErrorNumber))
def test_every_error_of_the_table_has_a_sentence(number: ErrorNumber) -> None:
    words = words_for(ImError(number, number.name, "field text_limit is out of range"))
    assert words[0].isupper()
    assert words.endswith((".", "?"))
    assert number.name not in words


def test_a_wait_is_told() -> None:
    assert words_for(ImError(ErrorNumber.SLOW_MODE, "SLOW_MODE", "", retry_after_ms=4000)).endswith("Wait 4 seconds.")


def test_an_unknown_error_says_what_the_server_said() -> None:
    assert words_for(ImError(9999, "NEW", "the moon is full")) == "The moon is full."


def test_no_connection_says_why_and_what_to_check() -> None:
    error = UnreachableError(0, "UNREACHABLE", "[Errno 111] Connection refused")
    assert words_for(error) == (
        "The server does not answer: nobody listens there. Check the address, and that it runs."
    )
    assert unreachable_reason(UnreachableError(0, "UNREACHABLE", "")) == "no reason is known"
