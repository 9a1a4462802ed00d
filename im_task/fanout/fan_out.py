"""The consumer of im.fanout.

Nobody resolves members per message here: each gateway knows which of its connections are interested, so a message
costs one frame per interested gateway. Records come at least once and may overlap; gateways drop what they have by
seq, so nothing is remembered here between batches.
"""

import asyncio
from collections.abc import Sequence

from google.protobuf.message import DecodeError

from im_infra import error_table
from im_infra.bus.abstract import Record
from im_infra.errors import ImError
from im_infra.observability import traceparent
from im_infra.observability.metrics import Metrics
from im_infra.observability.span_names import TASK_FAN_OUT
from im_infra.observability.tracing import OFF, Tracer, start_batch
from im_proto.event.v1.fanout_pb2 import FanOutRange
from im_proto.gateway.v1.gateway_pb2 import FanOut
from im_proto.repo.v1.stream_pb2 import Entries, LogEntry
from im_proto.route.v1.route_pb2 import Interest
from im_task.fanout.entry_frame import fan_out_entry
from im_task.fanout.ports import EntryReader, Gateways, InterestReader
from im_task.fanout.ranges import Stretch, merge


class FanOutRecords:
    """Handles records of im.fanout.

    Args:
        reader: reads entries that records do not carry.
        interests: tells which gateways to send to.
        gateways: reaches them.
        max_entries: entries per frame to a gateway.
        tracer: records what becomes of sampled entries.
        metrics: where batches are counted.
    """

    def __init__(
        self,
        *,
        reader: EntryReader,
        interests: InterestReader,
        gateways: Gateways,
        max_entries: int = 256,
        tracer: Tracer = OFF,
        metrics: Metrics | None = None,
    ) -> None:
        self._reader = reader
        self._interests = interests
        self._gateways = gateways
        self._max_entries = max_entries
        self._tracer = tracer
        metrics = metrics or Metrics()
        self._records = metrics.histogram("im_task_fan_out_records")
        self._seconds = metrics.histogram("im_task_fan_out_seconds")

    async def handle(self, records: Sequence[Record]) -> None:
        """Push what the records ask for; returns once it is queued at every live interested gateway.

        Raises:
            ImError: some of it is not; the whole may be handled again. FRAME_INVALID: a record cannot be read.
        """
        sampled = [
            parent
            for record in records
            if record.headers and (parent := traceparent.read(record.headers.get(traceparent.HEADER, "")))
        ]
        if not sampled:
            await self._push_records(records)
            return
        span = start_batch(self._tracer, TASK_FAN_OUT, sampled, records=len(records))
        failed: ImError | None = None
        try:
            with span.active():
                await self._push_records(records)
        except ImError as error:
            failed = error
            raise
        finally:
            span.end(failed)

    async def _push_records(self, records: Sequence[Record]) -> None:
        self._records.observe(len(records))
        with self._seconds.time():
            await self._push_all(records)

    async def _push_all(self, records: Sequence[Record]) -> None:
        carried = [_parse(record) for record in records]
        entries: dict[tuple[int, int], tuple[LogEntry, FanOutRange]] = {}
        for fan_out_range in carried:
            for raw in fan_out_range.entries:
                entry = LogEntry.FromString(raw)
                entries[entry.conversation_id, entry.seq] = (entry, fan_out_range)
        stretches = merge(Stretch(one.conversation_id, one.from_seq, one.to_seq) for one in carried)
        for conversation_id in dict.fromkeys(stretch.conversation_id for stretch in stretches):
            mine = [stretch for stretch in stretches if stretch.conversation_id == conversation_id]
            await self._push_conversation(conversation_id, mine, entries)

    async def _push_conversation(
        self,
        conversation_id: int,
        stretches: Sequence[Stretch],
        carried: dict[tuple[int, int], tuple[LogEntry, FanOutRange]],
    ) -> None:
        """Push one conversation's stretches in order, each frame to all interested gateways at once."""
        interests = await self._interests.find(conversation_id)
        if not interests:
            return
        for stretch in stretches:
            for from_seq in range(stretch.from_seq, stretch.to_seq + 1, self._max_entries):
                to_seq = min(stretch.to_seq, from_seq + self._max_entries - 1)
                frame = await self._frame(Stretch(conversation_id, from_seq, to_seq), carried)
                await self._send(interests, frame)

    async def _send(self, interests: Sequence[Interest], frame: FanOut) -> None:
        """Send to all at once; the first refusal is raised after every send has ended."""
        outcomes = await asyncio.gather(
            *(self._gateways.fan_out(interest, frame) for interest in interests), return_exceptions=True
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _frame(self, stretch: Stretch, carried: dict[tuple[int, int], tuple[LogEntry, FanOutRange]]) -> FanOut:
        """The frame of a stretch, from what the records carried or, where anything is missing, read anew."""
        seqs = range(stretch.from_seq, stretch.to_seq + 1)
        have = [carried[stretch.conversation_id, seq] for seq in seqs if (stretch.conversation_id, seq) in carried]
        if len(have) == len(seqs):
            last = have[-1][1]
            found = Entries(entries=[entry for entry, _ in have], epoch=last.epoch, member_version=last.member_version)
        else:
            found = await self._reader.read_entries(stretch.conversation_id, stretch.from_seq, stretch.to_seq)
        return FanOut(
            conversation_id=stretch.conversation_id,
            epoch=found.epoch,
            member_version=found.member_version,
            entries=[fan_out_entry(entry, epoch=found.epoch) for entry in found.entries],
        )


def _parse(record: Record) -> FanOutRange:
    try:
        parsed = FanOutRange.FromString(record.value)
    except DecodeError as error:
        raise ImError(error_table.FRAME_INVALID, f"not a FanOutRange: {error}") from error
    if not parsed.conversation_id or not 0 < parsed.from_seq <= parsed.to_seq:
        raise ImError(error_table.FIELD_INVALID, "a FanOutRange without conversation or range")
    return parsed
