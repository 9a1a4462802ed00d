"""The scenario `mixed`."""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, ClassVar, Final, cast

from im_bench.adapters.im import rooms
from im_bench.adapters.im.connection import Connection
from im_bench.load.crew import Crew, Person, Seat
from im_bench.load.sender import Sender
from im_bench.report.record import Record
from im_bench.report.result import Result
from im_bench.scenarios.abstract import People, Told
from im_bench.scenarios.mix import MESSAGES, load_mix
from im_bench.scenarios.option import MOST_PER_S, Option, TalkSettings
from im_bench.scenarios.talk import TalkScenario
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_proto.v1.message_pb2 import PullRequest, TypingRequest
from im_proto.v1.read_pb2 import MarkReadRequest

PAGE: Final = 50
GROUPS_AT_ONCE: Final = 4


@dataclass(frozen=True, kw_only=True)
class MixedSettings(TalkSettings):
    """What the run does."""

    rate: Annotated[
        float, Option("Messages all together offer a second, once the ramp is over.", min=0.01, max=MOST_PER_S)
    ] = 300.0
    users: Annotated[int, Option("People online; a multiple of --group-size.", min=2, max=10_000)] = 1_000
    group_size: Annotated[int, Option("Members of each group: everybody is in one. Even.", min=2, max=500)] = 10
    mix: Annotated[str, Option("TOML file with weights; without it that of the load tester, `scenarios/mix.toml`.")] = (
        ""
    )


class MixedScenario(TalkScenario[MixedSettings]):
    """People write privately, in groups and in the world room on everybody's screen, type, read and scroll, as --mix says.

    Reports what was offered, acked and delivered a second; the latency to the ack and to each reader, that of a read
    cursor (`read`), of a typing notice's answer (`typing`) and of a page of history (`page`); and what was lost,
    doubled or out of order.
    """

    name: ClassVar[str] = "mixed"
    settings_type = MixedSettings
    latencies: ClassVar[tuple[str, ...]] = (*TalkScenario.latencies, "typing", "read", "page")

    def __init__(self, crew: Crew, settings: MixedSettings) -> None:
        super().__init__(crew, settings)
        mix = load_mix(settings.mix)
        self._kinds = [kind for kind in MESSAGES if mix.messages[kind]]
        self._cumulative = list(itertools.accumulate(mix.messages[kind] for kind in self._kinds))
        self._beside = {name: often for name, often in mix.beside.items() if often}
        self._owed = dict.fromkeys(self._beside, 0.0)
        self._senders: dict[str, list[Sender]] = {kind: [] for kind in MESSAGES}
        self._turns: dict[str, itertools.cycle[Sender]] = {}
        self._places: list[tuple[Seat, int]] = []
        """Everybody with their private chat."""
        self._next_place: itertools.cycle[tuple[Seat, int]] = itertools.cycle(())

    @classmethod
    def people(cls, settings: MixedSettings) -> People:
        """A group's members are in one process; two neighbours have a private chat."""
        return People(settings.users, together=settings.group_size)

    @classmethod
    def problem(cls, settings: MixedSettings) -> str | None:
        """Everybody has a partner and a group."""
        if settings.group_size % 2 or settings.users % settings.group_size:
            return "--group-size must be even, and --users a multiple of it"
        if settings.closed:
            return "--closed has no meaning for a mix: its weights are those of an open loop"
        try:
            load_mix(settings.mix)
        except ValueError as error:
            return str(error)
        return None

    async def connect(self, _told: Told) -> None:
        """Connect everybody, make the groups, and put the world room on every screen."""
        people, size = self.crew.people, self.settings.group_size
        groups = [people[start : start + size] for start in range(0, len(people), size)]
        await self.crew.each(groups, self._group, at_once=GROUPS_AT_ONCE)
        for kind in self._kinds:
            self._turns[kind] = itertools.cycle(self.shuffled(self._senders[kind]))
        self.crew.random.shuffle(self._places)
        self._next_place = itertools.cycle(self._places)

    async def _group(self, members: Sequence[Person]) -> None:
        seats = [await self.crew.connect(person) for person in members]
        group = await rooms.make_group(seats[0].client, [person.account.user_id for person in members])
        for seat in seats:
            self._talks("group", self.add(seat, group))
        for pair in zip(seats[::2], seats[1::2], strict=True):
            direct = await self.crew.adapter.join([seat.person.account for seat in pair], pair[0].client)
            for seat in pair:
                self._talks("private", self.add(seat, direct))
                self._places.append((seat, direct.conversation_id))
        if "world" not in self._kinds:
            return
        world = await rooms.find_room(seats[0].client, rooms.world_of(seats[0].client))
        for seat in seats:
            self._talks("world", self.add(seat, world))
            await rooms.put_on_screen(seat.client, world.conversation_id)

    def _talks(self, kind: str, sender: Sender | None) -> None:
        assert sender is not None, "everybody sends"
        self._senders[kind].append(sender)

    def arrive(self, due: float) -> None:
        """A message by the weights, and whatever is due beside it."""
        (kind,) = self.crew.random.choices(self._kinds, cum_weights=self._cumulative)
        self.crew.tally.counts[f"{kind} messages"] += 1
        next(self._turns[kind]).offer(due)
        for name, often in self._beside.items():
            self._owed[name] += often
            while self._owed[name] >= 1.0:
                self._owed[name] -= 1.0
                self._ask(name, due)

    def _ask(self, name: str, due: float) -> None:
        seat, conversation_id = next(self._next_place)
        connection = cast("Connection", seat.client)
        if name == "typing":
            frame = ClientFrame(typing=TypingRequest(conversation_id=conversation_id))
        elif name == "read":
            seq = seat.receiver.inboxes[conversation_id].seqs.upto
            if not seq:
                return  # there is nothing to read yet
            frame = ClientFrame(mark_read=MarkReadRequest(conversation_id=conversation_id, seq=seq))
        else:
            frame = ClientFrame(pull=PullRequest(conversation_id=conversation_id, limit=PAGE))
        connection.request(frame, self._timed("page" if name == "history" else name, due))

    def _timed(self, name: str, due: float) -> Callable[[ServerFrame], None]:
        tally, window = self.crew.tally, self.crew.window

        def on_answer(answer: ServerFrame) -> None:
            if answer.HasField("error"):
                tally.counts[f"{name} refused {answer.error.name}"] += 1
            elif due in window:
                tally.others[name].record(time.monotonic() - due)

        return on_answer

    @classmethod
    def conclude(cls, settings: MixedSettings, record: Record, result: Result) -> None:
        """The result repeats the mix."""
        super().conclude(settings, record, result)
        result.settings["weights"] = asdict(load_mix(settings.mix))
