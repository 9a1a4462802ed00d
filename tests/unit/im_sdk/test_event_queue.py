"""What waits for the application: bounded, in order, without loss of messages."""

import asyncio

import pytest

from im_sdk._event_queue import EventQueue
from im_sdk._events import ConversationLeft, Event, Typing
from im_sdk._models import Membership


def left(number: int) -> Event:
    """Any event that must not be dropped."""
    return ConversationLeft(number, Membership.LEFT)


def typing(number: int) -> Event:
    return Typing(number, 1)


def queue(limit: int = 4) -> tuple[EventQueue, list[str]]:
    calls: list[str] = []
    return EventQueue(limit=limit, on_full=lambda: calls.append("full"), on_room=lambda: calls.append("room")), calls


async def test_events_come_in_order_and_the_end_after_them() -> None:
    events, _ = queue()
    events.put([left(1), left(2)])
    events.end()
    assert [event async for event in events] == [left(1), left(2)]


async def test_a_reader_waits_for_the_next_event() -> None:
    events, _ = queue()
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    events.put([left(1)])
    assert await waiting == left(1)


async def test_a_full_queue_stops_messages_and_drops_what_passes() -> None:
    events, calls = queue()
    events.put([left(number) for number in range(5)])
    assert events.full
    events.put([typing(1), left(5), typing(2)])
    assert calls == ["full"]
    assert len(events) == 6
    assert [await anext(events) for _ in range(4)] == [left(number) for number in range(4)]
    assert calls == ["full", "room"]
    events.put([typing(3)])
    assert [await anext(events) for _ in range(3)] == [left(4), left(5), typing(3)]


async def test_a_cancelled_wait_loses_nothing() -> None:
    events, _ = queue()
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    events.put([left(1)])
    waiting.cancel()
    await asyncio.wait({waiting})
    assert await anext(events) == left(1)


async def test_a_defect_is_raised_after_what_waits() -> None:
    events, _ = queue()
    events.put([left(1)])
    events.end(ValueError("defect"))
    assert await anext(events) == left(1)
    with pytest.raises(ValueError, match="defect"):
        await anext(events)


async def test_it_can_begin_again() -> None:
    events, _ = queue()
    events.end()
    assert [event async for event in events] == []
    events.begin()
    events.put([left(1)])
    assert await anext(events) == left(1)
