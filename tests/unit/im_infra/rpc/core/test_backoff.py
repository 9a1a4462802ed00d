from im_infra.rpc.core.backoff import Backoff

BACKOFF = Backoff(first_s=0.1, max_s=2.0)


def test_the_ceiling_doubles_up_to_the_longest_wait() -> None:
    assert [BACKOFF.delay(attempt, 1.0) for attempt in range(7)] == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_the_jitter_is_full_from_the_first_wait_on() -> None:
    assert BACKOFF.delay(0, 0.0) == 0.0
    assert BACKOFF.delay(0, 0.5) == 0.05


def test_many_failures_do_not_overflow() -> None:
    assert BACKOFF.delay(100_000, 1.0) == 2.0
