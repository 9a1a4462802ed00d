from im_sdk._server_time import ServerTime


def test_it_starts_as_the_local_clock_and_follows_the_servers() -> None:
    time = ServerTime(now=10, wall_ms=1_000_000)
    assert time.at(11) == 1_001_000
    time.observe(5_000_000, 12)
    assert time.at(12.5) == 5_000_500


def test_a_server_that_says_nothing_changes_nothing() -> None:
    time = ServerTime(now=10, wall_ms=1_000_000)
    time.observe(0, 12)
    assert time.at(10) == 1_000_000
