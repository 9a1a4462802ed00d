from im_infra.discovery import lease_window
from im_infra.discovery.abstract import WorkerLease


def test_issuing_stops_well_before_the_recorded_times_end() -> None:
    assert lease_window.deadline(1_000.0) == 1_600.0
    assert lease_window.first_high_time(5_000) == 905_000


def test_a_lease_that_begins_ahead_reaches_a_whole_window_from_there() -> None:
    assert lease_window.first_high_time(5_000, above=3_605_000) == 4_505_000
    assert lease_window.first_high_time(5_000, above=1_000) == 905_000


def test_a_renewal_reaches_a_whole_window_from_now() -> None:
    lease = WorkerLease(0, 0, high_time=905_000, deadline=1_600.0)
    assert lease_window.extended_high_time(lease, 65_000, 1_060.0) == 965_000


def test_a_renewal_after_the_clock_stepped_back_reaches_as_much_further_as_time_has_passed() -> None:
    lease = WorkerLease(0, 0, high_time=905_000, deadline=1_600.0)
    assert lease_window.extended_high_time(lease, 1_000, 1_060.0) == 965_000
