"""Buckets by address."""

from im_gateway.limits.address_buckets import AddressBuckets


def test_addresses_do_not_share_a_bucket() -> None:
    buckets = AddressBuckets(1.0, 1.0)
    assert buckets.take("a", 0.0) == 0.0
    assert buckets.take("a", 0.0) > 0
    assert buckets.take("b", 0.0) == 0.0
    buckets.put_back("a")
    assert buckets.take("a", 0.0) == 0.0
    buckets.put_back("unknown")


def test_quiet_addresses_are_forgotten() -> None:
    buckets = AddressBuckets(1.0, 1.0)
    buckets.take("a", 0.0)
    buckets.forget_full(0.5)
    assert len(buckets) == 1
    buckets.forget_full(1.0)
    assert len(buckets) == 0


def test_the_table_is_bounded() -> None:
    buckets = AddressBuckets(0.001, 1.0, max_addresses=3)
    for number in range(10):
        buckets.take(str(number), 0.0)
    assert len(buckets) == 3
