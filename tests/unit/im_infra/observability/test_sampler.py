from random import Random

import pytest

from im_infra.observability.sampler import Sampler


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def sampler(ratio: float, *, max_per_s: float = 1e9, time: Time | None = None, seed: int = 7) -> Sampler:
    return Sampler(ratio, max_per_s=max_per_s, monotonic=time or Time(), chance=Random(seed).random)


@pytest.mark.parametrize("ratio", [0.001, 0.1, 0.5])
def test_the_share_is_as_set(ratio: float) -> None:
    drawn = sampler(ratio)
    asked = int(2_000 / ratio)
    assert sum(drawn.due() for _ in range(asked)) == pytest.approx(2_000, rel=0.1)


def test_none_and_all() -> None:
    none, every = sampler(0), sampler(1)
    assert not any(none.due() for _ in range(1_000))
    assert all(every.due() for _ in range(1_000))


def test_no_more_a_second_than_allowed() -> None:
    time = Time()
    every = sampler(1, max_per_s=5, time=time)
    assert sum(every.due() for _ in range(100)) == 5
    time.now = 0.4
    assert sum(every.admit() for _ in range(100)) == 2
    time.now = 100.0
    assert sum(every.due() for _ in range(100)) == 5
