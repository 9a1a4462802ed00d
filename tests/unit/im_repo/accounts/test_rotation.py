"""What a presented refresh token means."""

from dataclasses import replace

import pytest

from im_repo.accounts.rotation import Family, Presented, Rotation, decide

FAMILY = Family(live=True, counter=5, current_hash=b"five", previous_hash=b"four", rotated_time=1_000)


@pytest.mark.parametrize(
    ("counter", "secret", "following", "now", "outcome"),
    [
        (5, b"five", b"six", 9_000, Rotation.ROTATE),
        (5, b"forged", b"six", 9_000, Rotation.UNKNOWN),
        (6, b"six", b"seven", 9_000, Rotation.UNKNOWN),
        (4, b"four", b"five", 1_060, Rotation.REPEAT),
        (4, b"four", b"five", 1_061, Rotation.REUSE),
        (4, b"four", b"other", 1_060, Rotation.UNKNOWN),
        (4, b"forged", b"five", 1_060, Rotation.UNKNOWN),
        (4, b"forged", b"five", 9_000, Rotation.UNKNOWN),
        (3, b"three", b"four", 1_001, Rotation.REUSE),
        (0, b"zero", b"one", 1_001, Rotation.REUSE),
    ],
)
def test_a_token_is_good_once(counter: int, secret: bytes, following: bytes, now: int, outcome: Rotation) -> None:
    presented = Presented(counter=counter, secret_hash=secret, next_hash=following)
    assert decide(FAMILY, presented, now=now, grace_ms=60) is outcome
    assert decide(replace(FAMILY, live=False), presented, now=now, grace_ms=60) is Rotation.UNKNOWN
