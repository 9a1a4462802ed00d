import pytest

from im_infra import error_table
from im_infra.bus.abstract import Record
from im_infra.bus.backlog import Backlog
from im_infra.errors import ImError


def record(value: bytes) -> Record:
    return Record("t", b"k", value)


async def test_records_come_out_in_order() -> None:
    backlog = Backlog(10)
    for number in range(5):
        backlog.add(record(b"%d" % number))
    assert [waiting.record.value for waiting in backlog.take(3)] == [b"0", b"1", b"2"]
    assert [waiting.record.value for waiting in backlog.take(3)] == [b"3", b"4"]
    assert backlog.take(3) == []


@pytest.mark.parametrize("backlog", [Backlog(2), Backlog(100, max_bytes=8)], ids=["records", "bytes"])
async def test_full_it_refuses_until_something_is_taken(backlog: Backlog) -> None:
    backlog.add(record(b"123"))
    backlog.add(record(b"123"))
    with pytest.raises(ImError) as caught:
        backlog.add(record(b"1"))
    assert caught.value.reason is error_table.OVERLOADED
    backlog.take(1)
    backlog.add(record(b"1"))
    assert len(backlog) == 2


async def test_the_publisher_hears_the_first_outcome_only() -> None:
    backlog = Backlog(2)
    outcome = backlog.add(record(b"1"))
    (waiting,) = backlog.take(1)
    waiting.done()
    waiting.failed(ValueError())
    await outcome


async def test_a_publisher_that_is_gone_is_not_told() -> None:
    backlog = Backlog(2)
    outcome = backlog.add(record(b"1"))
    outcome.cancel()
    (waiting,) = backlog.take(1)
    waiting.done()
    waiting.failed(ValueError())
    assert outcome.cancelled()
