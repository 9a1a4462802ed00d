"""The promise of the session machine: whatever the network does, each message is shown once, in order, and none is lost."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from im_sdk._events import ConnectionState
from im_sdk._settings import SessionSettings
from tests.sdk_support.device import Device
from tests.sdk_support.model_server import ModelServer

_MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(0, 1), st.integers(0, 1)),
        st.tuples(st.just("other"), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("deliver"), st.integers(0, 1), st.integers(1, 4)),
        st.tuples(st.just("swap"), st.integers(0, 1), st.integers(1, 4)),
        st.tuples(st.just("repeat"), st.integers(0, 1), st.integers(1, 4)),
        st.tuples(st.just("drop"), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("lossy"), st.integers(0, 1), st.integers(0, 2)),
        st.tuples(st.just("sleep"), st.integers(0, 1), st.integers(0, 40)),
        st.tuples(st.just("pause"), st.integers(0, 1), st.integers(0, 1)),
        st.tuples(st.just("make"), st.just(0), st.just(0)),
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(moves=_MOVES, seed=st.integers(0, 2**32), pipeline=st.sampled_from([1, 4]))
def test_every_message_is_shown_once_in_order_and_none_is_lost(
    moves: list[tuple[str, int, int]], seed: int, pipeline: int
) -> None:
    """Two people write in two groups while pushes are lost, doubled and swapped and connections die at any step."""
    source = random.Random(seed)
    server = ModelServer()
    logs = [server.make({1, 2, 3}), server.make({1, 2, 3})]
    chosen = SessionSettings(device_id="device-1", instance_id="i", pipeline=pipeline, catch_up_limit=None)
    devices = [Device(server, user + 1, seed=seed + user, settings=chosen).online() for user in (0, 1)]
    loss = 0
    server.push_filter = lambda: source.randrange(3) >= loss
    sent: dict[tuple[int, int], list[str]] = {}
    for number, (move, who, how) in enumerate(moves):
        device = devices[who]
        match move:
            case "send":
                log = logs[how % len(logs)]
                sent.setdefault((who, log.conversation_id), []).append(f"{number}")
                device.send(log.conversation_id, f"{number}")
            case "other":
                server.append(source.choice(logs), 3, f"other {number}")
            case "deliver":
                device.deliver(how)
            case "swap":
                device.deliver(how, swap=True)
            case "repeat":
                device.deliver(how, repeat=True)
            case "drop":
                device.drop()
            case "lossy":
                loss = how
            case "sleep":
                device.sleep(how / 4)
            case "pause":
                if how:
                    device.session.pause()
                else:
                    device.session.go_on(device.now)
                    device.pump()
            case "make" if len(logs) < 4:
                logs.append(server.make({1, 2, 3}))
            case _:
                pass
    loss = 0
    for device in devices:
        device.session.go_on(device.now)
        device.pump()
    for _ in range(3):
        for device in devices:
            device.settle()
            device.sleep(400)
    for who, device in enumerate(devices):
        assert device.session.state is ConnectionState.ONLINE
        assert not device.refused
        for log in logs:
            texts = [entry.content.text.text for entry in log.entries]
            assert len(texts) == len(set(texts)), "stored once"
            assert device.texts(log.conversation_id) == texts
            own = [entry.content.text.text for entry in log.entries if entry.sender_id == who + 1]
            assert own == sent.get((who, log.conversation_id), []), "stored in the order of sending"
            listing = device.session.inbox.directory.find(log.conversation_id)
            assert listing is not None
            assert listing.unread.count == sum(entry.sender_id != who + 1 for entry in log.entries)
        assert len(device.acknowledged) == sum(len(texts) for (key, _), texts in sent.items() if key == who)
