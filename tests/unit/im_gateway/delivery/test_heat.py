"""How long entries gather."""

import pytest

from im_gateway.delivery.heat import Heat

FROM_PER_S = 2000.0


def steady(receivers: int, per_s: int, *, seconds: int = 5) -> Heat:
    heat = Heat()
    for number in range(per_s * seconds):
        heat.add(receivers, 100.0 + number / per_s)
    return heat


@pytest.mark.parametrize(
    ("receivers", "per_s", "gather_s"),
    [
        (10, 100, 0.0),  # 1,000 deliveries a second
        (40, 100, 0.02),
        (200, 100, 0.1),
        (1000, 100, 0.25),
        (5000, 2, 0.0),  # as many deliveries, but the next entry would not come in time
        (60_000, 5, 0.25),
    ],
)
def test_gathering_grows_with_the_deliveries_a_second(receivers: int, per_s: int, gather_s: float) -> None:
    assert steady(receivers, per_s).gather_s(FROM_PER_S) == gather_s


def test_a_conversation_cools() -> None:
    heat = steady(1000, 100)
    heat.add(1000, 110.0)
    assert heat.gather_s(FROM_PER_S) == 0.0


def test_a_clock_that_steps_back_does_not_heat() -> None:
    heat = Heat()
    heat.add(1000, 100.0)
    heat.add(1000, 50.0)
    assert heat.gather_s(1e9) == 0.0
