"""Order, bounds, and one running batch a conversation."""

from typing import Any

from im_repo.log.append_queue import AppendQueue, Waiting


class Nobody:
    def answer(self, body: bytes) -> None: ...

    def fail(self, error: Exception) -> None: ...


def waiting(draft: Any, conversation_id: Any, body: Any = b"x") -> Any:
    return Waiting(draft(conversation_id, 1, body=body), Nobody())


def logs(batch: Any) -> Any:
    return [one.draft.conversation_id for one in batch]


def test_a_batch_takes_what_waits_in_order(draft: Any) -> None:
    queue = AppendQueue(max_items=10, max_bytes=100)
    put = [waiting(draft, log) for log in (1, 2, 1, 3)]
    assert all(map(queue.put, put))
    assert queue.take(max_items=3, max_bytes=100) == put[:3]
    assert queue.take(max_items=3, max_bytes=100) == put[3:]
    assert not queue.has_ready
    assert len(queue) == 0


def test_a_full_queue_takes_nothing_more(draft: Any) -> None:
    queue = AppendQueue(max_items=2, max_bytes=100)
    assert queue.put(waiting(draft, 1))
    assert queue.put(waiting(draft, 1))
    assert not queue.put(waiting(draft, 1))
    queue.take(max_items=1, max_bytes=100)
    assert queue.put(waiting(draft, 1))


def test_bodies_are_bounded_too(draft: Any) -> None:
    queue = AppendQueue(max_items=10, max_bytes=10)
    assert queue.put(waiting(draft, 1, b"x" * 8))
    assert not queue.put(waiting(draft, 1, b"x" * 3))
    assert queue.put(waiting(draft, 1, b"xx"))


def test_a_batch_ends_before_its_bytes_do_but_has_one_at_least(draft: Any) -> None:
    queue = AppendQueue(max_items=10, max_bytes=1000)
    for size in (50, 30, 30):
        queue.put(waiting(draft, 1, b"x" * size))
    assert len(queue.take(max_items=10, max_bytes=40)) == 1
    queue.done([waiting(draft, 1)])
    assert len(queue.take(max_items=10, max_bytes=60)) == 2


def test_a_running_conversation_steps_aside_and_comes_back_first(draft: Any) -> None:
    """Other conversations pass; its own order stays."""
    queue = AppendQueue(max_items=10, max_bytes=100)
    put = [waiting(draft, log) for log in (1, 1, 2, 1, 3)]
    for one in put:
        queue.put(one)
    first = queue.take(max_items=1, max_bytes=100)
    second = queue.take(max_items=10, max_bytes=100)
    assert (logs(first), logs(second)) == ([1], [2, 3])
    late = waiting(draft, 1)
    queue.put(late)
    assert queue.take(max_items=10, max_bytes=100) == []
    queue.done(first)
    assert queue.take(max_items=10, max_bytes=100) == [put[1], put[3], late]


def test_a_conversation_may_fill_a_batch_by_itself(draft: Any) -> None:
    queue = AppendQueue(max_items=10, max_bytes=100)
    for _ in range(5):
        queue.put(waiting(draft, 1))
    assert len(queue.take(max_items=10, max_bytes=100)) == 5


def test_clearing_gives_back_everything(draft: Any) -> None:
    """What stepped aside, too."""
    queue = AppendQueue(max_items=10, max_bytes=100)
    for log in (1, 1, 2):
        queue.put(waiting(draft, log))
    queue.take(max_items=1, max_bytes=100)
    queue.take(max_items=1, max_bytes=100)
    queue.put(waiting(draft, 3))
    assert sorted(logs(queue.clear())) == [1, 3]
    assert len(queue) == 0
    assert not queue.has_ready
