"""The store's promise: whenever the program dies, the next run shows each message once and sends each message once."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from im_proto.v1 import message_pb2
from im_sdk._events import Event, MessageReceived, MessageSent
from im_sdk._outbox import Draft
from im_sdk._settings import SessionSettings
from im_sdk._store import rows
from im_sdk._store.progress import Progress, collect
from tests.sdk_support.device import Device
from tests.sdk_support.model_server import Log, ModelServer

_MOVES = st.lists(
    st.one_of(
        st.sampled_from(["send cut short", "other", "drop", "crash", "write"]).map(lambda move: (move, 0)),
        st.tuples(st.just("send"), st.integers(1, 4)),
        st.tuples(st.just("deliver"), st.integers(1, 4)),
        st.tuples(st.just("sleep"), st.integers(0, 8)),
    ),
    max_size=50,
)


class Program:
    """An application with a store, that can die between any two writes."""

    def __init__(self, server: ModelServer, path: Path, seed: int) -> None:
        self.server = server
        self.path = path
        self.seed = seed
        self.shown: list[str | None] = []
        self.unwritten: list[tuple[Progress, list[Event]]] = []
        self.taken = 0
        self.commands = 0
        self.connection = rows.open_file(str(path))
        self.device = self._start()

    def step(self) -> None:
        """What happened since the last step waits for the disk."""
        device = self.device
        events, commands = device.events[self.taken :], device.commands[self.commands :]
        self.taken, self.commands = len(device.events), len(device.commands)
        self.unwritten.append((collect(device.session.inbox, events, commands), events))

    def write(self) -> None:
        """Everything that waits gets to the disk, and only then to the application."""
        rows.apply(self.connection, [progress for progress, _ in self.unwritten], keep_messages=1_000)
        for _, events in self.unwritten:
            for event in events:
                if isinstance(event, MessageReceived | MessageSent):
                    self.shown.append(event.message.text)
        self.unwritten.clear()

    def send(self, log: Log, text: str, *, cut_short: bool) -> None:
        """The draft is on disk first; cut short, the program dies right after."""
        device = self.device
        draft = Draft(
            log.conversation_id,
            device.session.new_id(device.now),
            message_pb2.Content(text=message_pb2.Text(text=text)),
        )
        rows.keep_draft(self.connection, draft)
        if cut_short:
            self.crash()
        else:
            device.session.send(draft, device.now)
            device.pump()

    def crash(self) -> None:
        """The program dies and is started again; what was not on disk is gone."""
        if self.device.connection is not None:
            self.device.connection.open = False
        self.connection.close()
        self.unwritten.clear()
        self.taken = self.commands = 0
        self.seed += 1
        self.connection = rows.open_file(str(self.path))
        self.device = self._start()

    def _start(self) -> Device:
        chosen = SessionSettings(device_id="device-1", instance_id="i", catch_up_limit=None)
        snapshot = rows.load(self.connection)
        return Device(self.server, 1, seed=self.seed, settings=chosen, snapshot=snapshot).online()


@settings(max_examples=60, deadline=None)
@given(moves=_MOVES, seed=st.integers(0, 2**32))
def test_a_crash_at_any_moment_loses_and_doubles_nothing(moves: list[tuple[str, int]], seed: int) -> None:
    """Messages are written, received and sent while the program dies at any moment between two writes."""
    server = ModelServer()
    log = server.make({1, 2})
    with tempfile.TemporaryDirectory() as folder:
        program = Program(server, Path(folder) / "store", seed)
        program.step()
        program.write()
        sent: list[str] = []
        for number, (move, how) in enumerate(moves):
            match move:
                case "send":
                    for part in range(how):
                        sent.append(f"{number}.{part}")
                        program.send(log, sent[-1], cut_short=False)
                case "send cut short":
                    sent.append(f"{number}")
                    program.send(log, sent[-1], cut_short=True)
                case "other":
                    server.append(log, 2, f"other {number}")
                case "deliver":
                    program.device.deliver(how)
                case "drop":
                    program.device.drop()
                case "sleep":
                    program.device.sleep(how / 4)
                case "crash":
                    program.crash()
                case _:
                    program.write()
            program.step()
        program.device.settle()
        program.device.sleep(400)
        program.step()
        program.write()
        program.connection.close()
        texts = [entry.content.text.text for entry in log.entries]
        assert program.shown == texts
        assert [text for text in texts if not text.startswith("other")] == sent
        assert rows_left(Path(folder) / "store") == 0


def rows_left(path: Path) -> int:
    """Drafts that nobody settled."""
    connection = rows.open_file(str(path))
    try:
        return len(rows.load(connection).drafts)
    finally:
        connection.close()
