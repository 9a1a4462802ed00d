import pytest

from im_sdk._error_table import CloseCode, ErrorNumber
from im_sdk._errors import from_table
from im_sdk._verdict import Verdict, after_close, after_refused_hello, meaning


@pytest.mark.parametrize(
    ("number", "resumed", "renewable", "verdict"),
    [
        (ErrorNumber.UNAVAILABLE, False, True, Verdict.RETRY),
        (ErrorNumber.OVERLOADED, True, True, Verdict.RETRY),
        (ErrorNumber.RESUME_INVALID, True, True, Verdict.RETRY_AT_ONCE),
        (ErrorNumber.TOKEN_EXPIRED, False, True, Verdict.REFRESH),
        (ErrorNumber.TOKEN_EXPIRED, False, False, Verdict.END),
        (ErrorNumber.UNAUTHENTICATED, False, True, Verdict.REFRESH),
        (ErrorNumber.KICKED, True, True, Verdict.END),
        (ErrorNumber.SESSION_REVOKED, False, True, Verdict.END),
        (ErrorNumber.ACCOUNT_DISABLED, False, True, Verdict.END),
    ],
)
def test_a_refused_hello(number: ErrorNumber, resumed: bool, renewable: bool, verdict: Verdict) -> None:
    error = from_table(number, "no")
    assert after_refused_hello(error, resumed=resumed, renewable=renewable) is verdict


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011, *(c for c in CloseCode if c < 4500 and c != 4004)])
def test_most_closes_are_followed_by_another_try(code: int) -> None:
    assert after_close(code, renewable=True) is Verdict.RETRY


def test_who_was_replaced_by_an_older_attempt_of_its_own_comes_back() -> None:
    """Nobody else has this client's random instance id."""
    assert after_close(CloseCode.REPLACED, renewable=False) is Verdict.RETRY


@pytest.mark.parametrize("code", [c for c in CloseCode if c >= 4500 and c != CloseCode.REPLACED])
def test_final_closes_are_final(code: CloseCode) -> None:
    assert after_close(code, renewable=True) is Verdict.END
    assert meaning(code)[1] != f"CLOSED_{code}"


def test_a_stale_token_is_renewed() -> None:
    assert after_close(CloseCode.TOKEN_STALE, renewable=True) is Verdict.REFRESH
    assert after_close(CloseCode.TOKEN_STALE, renewable=False) is Verdict.END


def test_a_newer_servers_final_code_has_a_name() -> None:
    assert meaning(4599) == (0, "CLOSED_4599")
    assert meaning(CloseCode.REPLACED) == (0, "REPLACED")
