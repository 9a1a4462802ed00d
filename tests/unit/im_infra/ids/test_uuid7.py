from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from im_infra.ids import uuid7, uuid7_time_ms


def test_the_example_of_the_rfc() -> None:
    # RFC 9562, A.6: rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F.
    random_bytes = ((0xCC3 << 64) | 0x18C4DC0C0C07398F).to_bytes(10, "big")
    assert uuid7(1_645_557_742_000, random_bytes) == UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")


@given(st.integers(0, (1 << 48) - 1), st.binary(min_size=10, max_size=10))
def test_time_version_and_variant_survive_any_randomness(now_ms: int, random_bytes: bytes) -> None:
    made = uuid7(now_ms, random_bytes)
    assert uuid7_time_ms(made) == now_ms
    assert (made.version, made.variant) == (7, RFC_4122)


def test_later_is_greater() -> None:
    assert uuid7(1, b"\xff" * 10) < uuid7(2, b"\0" * 10)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="10 random bytes"):
        uuid7(1, b"123")
    with pytest.raises(ValueError, match="48 bits"):
        uuid7(1 << 48, b"\0" * 10)
    with pytest.raises(ValueError, match="not a UUIDv7"):
        uuid7_time_ms(UUID("f81d4fae-7dec-41d0-a765-00a0c91e6bf6"))
