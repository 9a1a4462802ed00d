"""Entries of large conversations: merged or not, in one go or in shares, everybody gets the same frames in the same order."""

from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from im_gateway.codec.abstract import Outgoing
from im_gateway.codec.protobuf_codec import ProtobufCodec
from im_gateway.connections.connection import Connection
from im_gateway.delivery.entry_round import EntryRound
from im_gateway.delivery.entry_sender import EntrySender
from im_gateway.delivery.interest import Interest
from im_gateway.delivery.ring import Ring
from im_proto.gateway.v1.gateway_pb2 import FanOutEntry
from im_proto.v1.error_pb2 import Error
from im_proto.v1.frame_pb2 import ServerFrame, ServerFrames

ROOM = 77
CODEC = ProtobufCodec()
NEVER, ALWAYS = 1e12, 1e-9


class Receiver:
    """Stands for a connection."""

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        self.view = frozenset({ROOM}) if user_id % 3 else frozenset()
        self.writes: list[bytes] = []
        self.counted = 0

    def push(self, outgoing: Outgoing, now: float, *, crowd: bool) -> None:
        assert crowd, "an ack may not wait for all of these"
        self.push_through(outgoing, now)

    def push_through(self, outgoing: Outgoing, now: float) -> None:
        del now
        self.writes.append(outgoing.chunk(CODEC))
        self.counted += outgoing.frames

    @property
    def frames(self) -> list[bytes]:
        return [each.error.message.encode() for each in ServerFrames.FromString(b"".join(self.writes)).frames]


class Room:
    """A conversation with six receivers, and the timer and the flusher of its sender."""

    def __init__(self, merge_from_per_s: float, *, at_once: bool = True) -> None:
        self.receivers = [Receiver(user_id) for user_id in range(1, 7)]
        self.timers: list[Callable[[], None]] = []
        self.rounds: deque[EntryRound] = deque()
        self.at_once = at_once
        hub = SimpleNamespace(
            monotonic=lambda: 100.0,
            tally=SimpleNamespace(pushed_frames=0, merged_entries=0),
            flusher=SimpleNamespace(add_round=self.rounds.append),
            of_user=lambda user_id: [each for each in self.receivers if each.user_id == user_id],
        )
        self.tally = hub.tally
        self.sender = EntrySender(
            cast(Any, hub), merge_from_per_s=merge_from_per_s, later=lambda _s, call: self.timers.append(call)
        )
        self.interest = Interest(ROOM, 1, Ring(64, 1 << 20))
        for receiver in self.receivers:
            self.interest.put(self.connection(receiver), receiver.user_id)  # may read from its own number on

    @staticmethod
    def connection(receiver: Receiver) -> Connection:
        return cast(Connection, receiver)

    def send(self, *entries: FanOutEntry) -> None:
        for entry in entries:
            self.sender.add(self.interest, entry, 100.0)
        self.sender.settle(self.interest)
        if self.at_once:
            self.write_all()

    def let_time_pass(self) -> None:
        timers, self.timers = self.timers, []
        for timer in timers:
            timer()
        self.write_all()

    def write(self, most: int) -> None:
        """Write to the next so many viewers."""
        if self.rounds and self.rounds[0].write(most) < most:
            self.rounds.popleft()

    def write_all(self) -> None:
        while self.rounds:
            self.write(100)


def frame(text: str) -> bytes:
    return ServerFrame(error=Error(message=text)).SerializeToString()


def entry(seq: int, *, ref_seq: int = 0, mentioned: tuple[int, ...] = (), size: int = 0) -> FanOutEntry:
    return FanOutEntry(
        seq=seq,
        ref_seq=ref_seq,
        frame=frame(f"{seq}" + "." * size),
        bare_frame=frame(f"{seq} bare") if ref_seq else b"",
        mentioned_user_ids=mentioned,
    )


def test_what_comes_while_it_is_hot_goes_in_one_write() -> None:
    room = Room(ALWAYS)
    for seq in range(10, 20):
        room.send(entry(seq))
    room.let_time_pass()
    viewer = room.receivers[0]
    assert (len(viewer.writes), viewer.counted) == (4, 10)  # the first three warm it up
    assert viewer.frames == [str(seq).encode() for seq in range(10, 20)]
    assert room.receivers[2].writes == []  # does not view
    assert (room.tally.pushed_frames, room.tally.merged_entries) == (4 * 10, 6)


def test_while_it_is_cool_nothing_waits() -> None:
    room = Room(NEVER)
    room.send(entry(10))
    room.send(entry(11), entry(12))
    assert room.timers == []
    assert [len(each.writes) for each in room.receivers[:2]] == [2, 2]  # what comes together goes together


def test_what_comes_while_a_round_is_under_way_goes_with_the_next() -> None:
    room = Room(NEVER, at_once=False)
    room.send(entry(10))
    room.send(entry(11))  # the first has not set out: it takes both
    room.write(1)
    for seq in range(12, 15):
        room.send(entry(seq))
    assert sorted(len(each.writes) for each in room.receivers) == [0, 0, 0, 0, 0, 1]
    room.write_all()
    viewers = [each for each in room.receivers if each.view]
    assert [(len(each.writes), each.counted) for each in viewers] == [(2, 5)] * 4
    assert not room.sender._under_way
    assert room.timers == []


def test_a_flush_amid_a_round_writes_to_whoever_is_left_and_to_nobody_twice() -> None:
    room = Room(NEVER, at_once=False)
    room.send(entry(10))
    room.write(2)
    room.send(entry(11))
    room.sender.flush(room.interest)
    expected = {each: [b"10", b"11"] if each.view else [] for each in room.receivers}
    assert {each: each.frames for each in room.receivers} == expected
    room.send(entry(12))
    room.write_all()  # what is left of the round that was cut short, and the new one
    assert all(each.frames == [b"10", b"11", b"12"] for each in room.receivers if each.view)


def test_who_went_amid_a_round_gets_nothing_more() -> None:
    room = Room(NEVER, at_once=False)
    room.send(entry(10))
    room.write(1)
    gone = next(each for each in room.receivers if each.view and not each.writes)
    room.interest.discard(room.connection(gone))
    room.write_all()
    assert gone.writes == []
    assert sum(len(each.writes) for each in room.receivers) == 3


def test_a_full_write_goes_at_once() -> None:
    room = Room(ALWAYS)
    for seq in range(10, 14):
        room.send(entry(seq, size=20_000))
    assert [b"".join(room.receivers[0].frames).count(b"%d." % seq) for seq in range(10, 14)] == [1, 1, 1, 0]
    room.let_time_pass()
    assert len(room.receivers[0].frames) == 4


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("entry"), st.integers(0, 8), st.sets(st.integers(0, 7), max_size=2)),
        st.tuples(st.just("change"), st.integers(1, 6)),
        st.tuples(st.just("write"), st.integers(1, 3)),
        st.tuples(st.just("time")),
    ),
    max_size=40,
)


@given(STEPS)
def test_merged_or_not_everybody_gets_the_same_in_the_same_order(steps: list[tuple[Any, ...]]) -> None:
    rooms = Room(NEVER), Room(ALWAYS), Room(NEVER, at_once=False), Room(ALWAYS, at_once=False)
    for room in rooms:
        seq = 0
        for step in steps:
            if step[0] == "entry":
                seq += 1
                room.send(entry(seq, ref_seq=min(step[1], seq - 1), mentioned=tuple(sorted(step[2]))))
            elif step[0] == "change":
                receiver = room.connection(room.receivers[step[1] - 1])
                room.sender.flush(room.interest)
                if receiver in room.interest.members:
                    room.interest.discard(receiver)
                else:
                    room.interest.put(receiver, seq)
            elif step[0] == "write":
                room.write(step[1])
            else:
                room.let_time_pass()
        while room.timers or room.rounds:
            room.let_time_pass()
    plain, *others = rooms
    for room in others:
        assert [each.frames for each in plain.receivers] == [each.frames for each in room.receivers]
        assert plain.tally.pushed_frames == room.tally.pushed_frames
        assert all(each.counted == len(each.frames) for each in room.receivers)
        assert not room.sender._under_way
