"""Fan-out sends one frame per interested gateway and commits nothing that did not take effect."""

from collections.abc import Sequence
from uuid import uuid4

import pytest

from im_infra import error_table
from im_infra.bus.abstract import FANOUT_TOPIC, Record
from im_infra.errors import ImError
from im_proto.event.v1.fanout_pb2 import FanOutRange
from im_proto.gateway.v1.gateway_pb2 import FanOut
from im_proto.repo.v1.stream_pb2 import Entries, LogEntry
from im_proto.route.v1.route_pb2 import Interest
from im_task.fanout.fan_out import FanOutRecords


def entry(seq: int) -> LogEntry:
    return LogEntry(conversation_id=1, seq=seq, count=seq, client_message_id=uuid4().bytes)


def record(from_seq: int, to_seq: int, *, carried: bool) -> Record:
    entries = [entry(seq).SerializeToString() for seq in range(from_seq, to_seq + 1)] if carried else []
    value = FanOutRange(conversation_id=1, from_seq=from_seq, to_seq=to_seq, entries=entries, epoch=2, member_version=3)
    return Record(topic=FANOUT_TOPIC, key=b"1", value=value.SerializeToString())


class Log:
    """A log that counts its reads."""

    def __init__(self) -> None:
        self.reads: list[tuple[int, int]] = []

    async def read_entries(self, conversation_id: int, from_seq: int, to_seq: int) -> Entries:
        assert conversation_id == 1
        self.reads.append((from_seq, to_seq))
        return Entries(entries=[entry(seq) for seq in range(from_seq, to_seq + 1)], epoch=2, member_version=3)


class Interests:
    """A fixed set of gateways."""

    def __init__(self, *gateway_ids: str) -> None:
        self.interests = [Interest(gateway_id=one, boot_id="b") for one in gateway_ids]

    async def find(self, conversation_id: int) -> Sequence[Interest]:
        assert conversation_id == 1
        return self.interests


class Gateways:
    """Remembers what each gateway got; refuses for one of them."""

    def __init__(self, refusing: str = "") -> None:
        self.got: dict[str, list[int]] = {}
        self._refusing = refusing

    async def fan_out(self, interest: Interest, fan_out: FanOut) -> bool:
        if interest.gateway_id == self._refusing:
            raise ImError(error_table.OVERLOADED)
        assert (fan_out.epoch, fan_out.member_version) == (2, 3)
        self.got.setdefault(interest.gateway_id, []).extend(one.seq for one in fan_out.entries)
        return True


async def test_carried_entries_go_to_every_interested_gateway_without_a_read() -> None:
    log, gateways = Log(), Gateways()
    handler = FanOutRecords(reader=log, interests=Interests("g1", "g2"), gateways=gateways)
    await handler.handle([record(1, 3, carried=True), record(4, 5, carried=True)])
    assert gateways.got == {"g1": [1, 2, 3, 4, 5], "g2": [1, 2, 3, 4, 5]}
    assert log.reads == []


async def test_what_a_record_does_not_carry_is_read() -> None:
    log, gateways = Log(), Gateways()
    handler = FanOutRecords(reader=log, interests=Interests("g1"), gateways=gateways, max_entries=2)
    await handler.handle([record(1, 5, carried=False)])
    assert gateways.got == {"g1": [1, 2, 3, 4, 5]}
    assert log.reads == [(1, 2), (3, 4), (5, 5)]


async def test_nobody_interested_costs_no_read() -> None:
    log = Log()
    await FanOutRecords(reader=log, interests=Interests(), gateways=Gateways()).handle([record(1, 5, carried=False)])
    assert log.reads == []


async def test_a_gateway_that_lives_and_refuses_fails_the_batch_after_the_others_got_theirs() -> None:
    gateways = Gateways(refusing="g1")
    handler = FanOutRecords(reader=Log(), interests=Interests("g1", "g2"), gateways=gateways)
    with pytest.raises(ImError) as refused:
        await handler.handle([record(1, 2, carried=True)])
    assert refused.value.reason is error_table.OVERLOADED
    assert gateways.got == {"g2": [1, 2]}


@pytest.mark.parametrize("value", [b"\xff\xff", FanOutRange(conversation_id=1).SerializeToString()])
async def test_a_poison_record_is_refused_with_its_reason(value: bytes) -> None:
    handler = FanOutRecords(reader=Log(), interests=Interests("g1"), gateways=Gateways())
    with pytest.raises(ImError):
        await handler.handle([Record(topic=FANOUT_TOPIC, key=b"1", value=value)])
