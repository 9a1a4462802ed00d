"""The whole cluster and several devices of several people, against a list in memory."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from im_logic.reading.cursors import Cursors
from im_proto.v1.frame_pb2 import ClientFrame
from im_proto.v1.message_pb2 import Content, SendRequest, Text
from im_sdk import Client, ConnectionState, DeniedError, Membership, Tokens
from tests.harness.in_process import InProcess, in_process
from tests.harness.light import open_light
from tests.harness.log_model import Entry, GroupModel, Kind
from tests.harness.stored import from_database, read_seq_from_database
from tests.harness.watcher import Watcher
from tests.harness.workload import until

T = TypeVar("T")
PEOPLE = ("ann", "ben", "cat")
DEVICES = 2
EXAMPLES_AT_A_TIME = 5
QUIET_S = 8.0
"""Within this everybody has everything once the network is there."""

WHO = st.integers(0, len(PEOPLE) - 1)
WHICH = st.integers(0, DEVICES - 1)
PICK = st.integers(0, 10_000)


class World:
    """A running cluster with accounts, on a loop that runs while a rule does."""

    def __init__(self, runner: asyncio.Runner, folder: Path) -> None:
        self.runner = runner
        self.tokens: list[list[Tokens]] = []
        self._stop = asyncio.Event()
        self._folder = folder
        self.cluster: InProcess
        self._main: asyncio.Task[None]

    def open(self) -> None:
        ready = asyncio.Event()

        async def serve() -> None:
            with (
                patch("im_sdk._link.reconnect_delay", lambda *_, **__: 0.02),
                patch.dict(Cursors.__init__.__kwdefaults__, {"merge_s": 0.02}),
            ):
                async with in_process(self._folder / "data") as self.cluster:
                    ready.set()
                    await self._stop.wait()

        async def start() -> None:
            self._main = asyncio.create_task(serve())
            await asyncio.wait({self._main, asyncio.create_task(ready.wait())}, return_when=asyncio.FIRST_COMPLETED)
            self.tokens = [await self._log_in(name) for name in PEOPLE]

        self.runner.run(start())

    def close(self) -> None:
        async def stop() -> None:
            self._stop.set()
            await self._main

        self.runner.run(stop())

    async def _log_in(self, name: str) -> list[Tokens]:
        found = []
        for number in range(DEVICES):
            async with Client(self.cluster.url) as client:
                if number:
                    await client.login(name, "a-long-password")
                else:
                    await client.register(name, "a-long-password")
                found.append(client.tokens)
        return found


class ClusterMachine(RuleBasedStateMachine):
    """One group of three people with two devices each; anything may happen in any order, at any step of the network."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.users = [tokens[0].user.user_id for tokens in world.tokens]
        self.model = GroupModel()
        self.number = 0
        self.group = 0
        self.did: list[str] = []
        """What happened so far: a network cannot be made to do it again, so a failure has to tell."""
        self.devices: list[list[Watcher]] = []

    def run(self, work: Awaitable[T]) -> T:
        async def bounded() -> T:
            async with asyncio.timeout(30):
                return await work

        return self.world.runner.run(bounded())

    @initialize()
    def make(self) -> None:
        async def start() -> None:
            for name, tokens in zip(PEOPLE, self.world.tokens, strict=True):
                own = [Watcher(self.world.cluster.url, f"{name}-{number}") for number in range(DEVICES)]
                self.devices.append(own)
                for device, token in zip(own, tokens, strict=True):
                    await device.start(token)
            made = await self.devices[0][0].client.create_group("Group", self.users[1:])
            self.group = made.conversation_id

        self.run(start())
        self.model.append(Entry(Kind.NOTICE, self.users[0]), 1)
        for user_id in self.users:
            self.model.join(user_id)
            self.model.read[user_id] = self._stored_read(user_id)

    # what people do

    @rule(who=WHO, which=WHICH, cut_after=st.none() | st.integers(0, 12))
    def send(self, who: int, which: int, cut_after: int | None) -> None:
        device = self._reachable(who, which)
        text = self._text()
        self._act("send", who, device, lambda: device.client.send(self.group, text), cut_after, self._sent(who, text))

    @rule(whos=st.lists(st.tuples(WHO, WHICH), min_size=2, max_size=6), cut=st.booleans())
    def send_at_once(self, whos: list[tuple[int, int]], cut: bool) -> None:
        """Several write at the same time; the order is the server's, and each one's own is kept."""
        members = [(who, which) for who, which in whos if self.model.is_in(self.users[who])]

        self.did.append(f"{members} send at once{', cut' if cut else ''}")

        async def all_at_once() -> list[tuple[int, str, Any]]:
            async def one(who: int, device: Watcher, text: str) -> tuple[int, str, Any]:
                return who, text, await device.client.send(self.group, text)

            tasks = [asyncio.create_task(one(who, self._reachable(who, which), self._text())) for who, which in members]
            if cut and members:
                await asyncio.sleep(0)
                self.devices[members[0][0]][members[0][1]].cut()
            return [await task for task in tasks]

        for who, text, sent in sorted(self.run(all_at_once()), key=lambda done: done[2].seq):
            self._sent(who, text)(sent)

    @rule(pick=PICK)
    def retry(self, pick: int) -> None:
        """A message that is stored is sent again, whoever its sender is by now: the first ack answers."""
        texts = [seq for seq, entry in enumerate(self.model.entries, start=1) if entry.kind is Kind.TEXT]
        if not texts:
            return
        seq = texts[pick % len(texts)]
        entry = self.model.entries[seq - 1]
        tokens = self.world.tokens[self.users.index(entry.sender_id)][0]

        async def again() -> Any:
            connection = await open_light(
                self.world.cluster.websocket_url, access_token=tokens.access_token, device_id=tokens.device_id
            )
            request = SendRequest(
                conversation_id=self.group,
                client_message_id=entry.client_message_id,
                content=Content(text=Text(text=entry.text)),
                attempt=2,
            )
            answer = await connection.call(ClientFrame(send=request))
            await connection.close()
            return answer.send

        self.did.append(f"{seq} is sent again")
        answer = self.run(again())
        assert (answer.seq, answer.duplicate) == (seq, True)

    @rule(who=WHO, which=WHICH, pick=PICK, cut_after=st.none() | st.integers(0, 12))
    def edit(self, who: int, which: int, pick: int, cut_after: int | None) -> None:
        if (seq := self._own_text(who, pick)) is None:
            return
        device, text = self._reachable(who, which), self._text()
        done = self._changed(Kind.EDIT, who, seq, text)
        self._act(f"edit {seq}", who, device, lambda: device.client.edit(self.group, seq, text), cut_after, done)

    @rule(who=WHO, which=WHICH, pick=PICK, cut_after=st.none() | st.integers(0, 12))
    def recall(self, who: int, which: int, pick: int, cut_after: int | None) -> None:
        if (seq := self._own_text(who, pick)) is None:
            return
        device = self._reachable(who, which)
        done = self._changed(Kind.RECALL, who, seq, "")
        self._act(f"recall {seq}", who, device, lambda: device.client.recall(self.group, seq), cut_after, done)

    @rule(who=WHO, which=WHICH, pick=PICK, beyond=st.booleans())
    def read(self, who: int, which: int, pick: int, beyond: bool) -> None:
        device = self._reachable(who, which)
        seq = self.model.head + 5 if beyond else 1 + pick % self.model.head
        self._act(
            f"read {seq}",
            who,
            device,
            lambda: device.client.mark_read(self.group, seq),
            None,
            lambda _unread: self.model.mark_read(self.users[who], seq),
        )

    @rule(who=st.integers(1, len(PEOPLE) - 1), which=WHICH, cut_after=st.none() | st.integers(0, 12))
    def leave(self, who: int, which: int, cut_after: int | None) -> None:
        device = self._reachable(who, which)

        def done(_: None) -> None:
            self.model.append(Entry(Kind.NOTICE, self.users[who]), self.model.head + 1)
            self.model.leave(self.users[who])

        self._act("leave", who, device, lambda: device.client.leave_group(self.group), cut_after, done)

    @rule(who=st.integers(1, len(PEOPLE) - 1), which=WHICH, cut_after=st.none() | st.integers(0, 12))
    def remove(self, who: int, which: int, cut_after: int | None) -> None:
        if not self.model.is_in(self.users[who]):
            return
        device = self._reachable(0, which)

        def done(_: None) -> None:
            self.model.append(Entry(Kind.NOTICE, self.users[0]), self.model.head + 1)
            self.model.leave(self.users[who])

        user_id = self.users[who]
        self._act(f"remove {who}", 0, device, lambda: device.client.remove_member(self.group, user_id), cut_after, done)

    @rule(who=st.integers(1, len(PEOPLE) - 1), which=WHICH, cut_after=st.none() | st.integers(0, 12))
    def add(self, who: int, which: int, cut_after: int | None) -> None:
        if self.model.is_in(self.users[who]):
            return
        device, user_id = self._reachable(0, which), self.users[who]

        def done(_: list[int]) -> None:
            self.model.append(Entry(Kind.NOTICE, self.users[0]), self.model.head + 1)
            self.model.join(user_id)
            self.model.read[user_id] = self._stored_read(user_id)
            assert self.model.unread(user_id) == 0

        self._act(f"add {who}", 0, device, lambda: device.client.add_members(self.group, [user_id]), cut_after, done)

    # what the network does

    @rule(who=WHO, which=WHICH)
    def cut(self, who: int, which: int) -> None:
        self.did.append(f"{self.devices[who][which].name} is cut")
        self.run(self._later(self.devices[who][which].cut))

    @rule(who=WHO, which=WHICH)
    def take_the_network_away(self, who: int, which: int) -> None:
        device = self.devices[who][which]
        self.did.append(f"{device.name} loses the network")
        device.reachable = False
        self.run(self._later(device.cut))

    @rule(who=WHO, which=WHICH)
    def give_it_back(self, who: int, which: int) -> None:
        self.did.append(f"{self.devices[who][which].name} has a network again")
        self.devices[who][which].reachable = True

    @precondition(lambda self: self.model.head > 3)
    @rule()
    def quiesce(self) -> None:
        self._compare()

    def teardown(self) -> None:
        if self.group:
            try:
                self._compare()
            finally:
                self.run(self._close())

    # within

    async def _later(self, work: Callable[[], None]) -> None:
        work()
        await asyncio.sleep(0)

    async def _close(self) -> None:
        await asyncio.gather(*(device.close() for own in self.devices for device in own))

    def _reachable(self, who: int, which: int) -> Watcher:
        """Who does something has a network; it may be cut at any moment of it."""
        device = self.devices[who][which]
        device.reachable = True
        return device

    def _text(self) -> str:
        self.number += 1
        return f"text {self.number}"

    def _own_text(self, who: int, pick: int) -> int | None:
        user_id = self.users[who]
        own = [
            seq
            for seq in self.model.visible(user_id)
            if self.model.entries[seq - 1].kind is Kind.TEXT
            and self.model.entries[seq - 1].sender_id == user_id
            and not self.model.is_recalled(seq)
        ]
        return own[pick % len(own)] if own else None

    def _sent(self, who: int, text: str) -> Callable[[Any], None]:
        def done(sent: Any) -> None:
            entry = Entry(Kind.TEXT, self.users[who], text, client_message_id=sent.client_message_id)
            self.model.append(entry, sent.seq)

        return done

    def _changed(self, kind: Kind, who: int, seq: int, text: str) -> Callable[[Any], None]:
        return lambda _: self.model.append(Entry(kind, self.users[who], text, target=seq), self.model.head + 1)

    def _act(
        self,
        what: str,
        who: int,
        device: Watcher,
        operation: Callable[[], Awaitable[Any]],
        cut_after: int | None,
        done: Callable[[Any], object],
    ) -> None:
        """Do something, with the cable cut after so many turns of the loop; members succeed, others are refused."""
        self.did.append(f"{device.name}: {what}" + (f", cut after {cut_after}" if cut_after is not None else ""))

        async def act() -> Any:
            task = asyncio.ensure_future(operation())
            for _ in range(cut_after or 0):
                await asyncio.sleep(0)
            if cut_after is not None:
                device.cut()
            return await task

        if self.model.is_in(self.users[who]):
            done(self.run(act()))
            return
        with pytest.raises(DeniedError) as refused:
            self.run(act())
        assert refused.value.name == "NOT_A_MEMBER"

    def _stored_read(self, user_id: int) -> int:
        return read_seq_from_database(self.world.cluster.database, user_id, self.group)

    def _compare(self) -> None:
        for own in self.devices:
            for device in own:
                device.reachable = True
        wrong: list[str] = []

        async def settle() -> None:
            def right() -> bool:
                wrong[:] = self._differences()
                return not wrong

            try:
                await until(right, QUIET_S)
            except TimeoutError:
                wrong[:] = self._differences()

        self.did.append("compare")
        self.run(settle())
        assert not wrong, "\n".join([*wrong, "after", *self.did])
        stored = from_database(self.world.cluster.database)[self.group]
        assert [(row.seq, row.sender_id) for row in stored] == [
            (seq, entry.sender_id) for seq, entry in enumerate(self.model.entries, start=1)
        ]

    def _differences(self) -> list[str]:
        return [
            wrong
            for user_id, own in zip(self.users, self.devices, strict=True)
            for device in own
            for wrong in self._differences_of(user_id, device)
        ]

    def _differences_of(self, user_id: int, device: Watcher) -> Iterator[str]:
        model, name = self.model, device.name
        if device.client.state is not ConnectionState.ONLINE:
            yield f"{name} is {device.client.state}"
            return
        shown = device.seqs(self.group)
        if shown != sorted(set(shown)):
            yield f"{name} was shown {shown}"
        if leaks := [seq for seq in shown if not model.sees(user_id, seq)]:
            yield f"{name} was shown {leaks}, which are not for it"
        texts = device.texts(self.group)
        for seq in model.visible(user_id):
            entry = model.entries[seq - 1]
            if entry.kind is Kind.TEXT and texts.get(seq, "nothing") not in model.readings(user_id, seq):
                yield f"{name} shows {texts.get(seq, 'nothing')!r} at {seq}: {model.readings(user_id, seq)}"
            if entry.kind is Kind.NOTICE and seq not in shown:
                yield f"{name} was not shown the notice {seq}"
        yield from self._list_differences(user_id, device)

    def _list_differences(self, user_id: int, device: Watcher) -> Iterator[str]:
        model, name = self.model, device.name
        listed = device.client.conversation(self.group)
        if not model.is_in(user_id):
            if listed is not None and listed.membership is Membership.IN:
                yield f"{name} believes to be in"
            return
        if listed is None or listed.membership is not Membership.IN:
            yield f"{name} believes not to be in: {listed}"
            return
        expected = (model.head, model.head, model.read.get(user_id, 0), model.unread(user_id))
        told = (listed.max_seq, listed.local_seq, listed.read_seq, listed.unread)
        if told != expected:
            yield f"{name} lists (head, local, read, unread) {told}, where {expected} is right"


def run_machine(folder: Path, *, steps: int, at_least: int, seconds: float = 0) -> None:
    """Run random examples of so many steps: `at_least` so many, and further ones until `seconds` have passed."""
    with asyncio.Runner() as runner:
        world = World(runner, folder)
        world.open()
        try:
            end, done = time.monotonic() + seconds, 0
            while done < at_least or time.monotonic() < end:
                run_state_machine_as_test(
                    lambda: ClusterMachine(world),  # type: ignore[arg-type]  # any factory will do
                    settings=settings(
                        max_examples=EXAMPLES_AT_A_TIME,
                        stateful_step_count=steps,
                        deadline=None,
                        database=None,
                        phases=[Phase.generate],  # what the network did cannot be repeated step by step
                        suppress_health_check=list(HealthCheck),
                    ),
                )
                done += EXAMPLES_AT_A_TIME
        finally:
            world.close()


@pytest.mark.timeout(180)
def test_devices_show_what_a_list_in_memory_has(tmp_path: Path) -> None:
    run_machine(tmp_path, steps=25, at_least=10, seconds=30)


@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_devices_show_what_a_list_in_memory_has_for_long(tmp_path: Path) -> None:
    run_machine(tmp_path, steps=40, at_least=400)
