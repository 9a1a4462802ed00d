"""What failed is told apart by what a person can do about it."""

import errno

import pytest

from im_bench.adapters.abstract import AdapterError
from im_bench.adapters.diagnose import diagnose
from im_bench.trouble import Trouble


def no_connection(cause: OSError) -> AdapterError:
    error = AdapterError("no connection to ws://x", reason="no connection")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (no_connection(ConnectionRefusedError(errno.ECONNREFUSED, "refused")), Trouble.NO_SERVER),
        (no_connection(TimeoutError()), Trouble.NO_SERVER),
        (no_connection(OSError(errno.EADDRNOTAVAIL, "no port left")), Trouble.OTHER),
        (OSError(errno.EMFILE, "too many open files"), Trouble.OTHER),
        (ConnectionResetError(errno.ECONNRESET, "reset"), Trouble.NO_SERVER),
        (AdapterError("429", reason="handshake refused"), Trouble.LIMITED),
        (AdapterError("5001 RATE_LIMITED", reason="RATE_LIMITED"), Trouble.LIMITED),
        (AdapterError("2001", reason="FIELD_INVALID"), Trouble.OTHER),
        (KeyError("x"), Trouble.OTHER),
    ],
)
def test_what_is_the_matter(error: Exception, trouble: Trouble) -> None:
    assert diagnose(error) is trouble
