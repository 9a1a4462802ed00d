"""Reading a log page by page."""

from typing import Any

from im_proto.v1 import message_pb2
from im_sdk import _history as history
from im_sdk._models import MessageKind
from tests.sdk_support.live_server import LiveServer
from tests.sdk_support.people import signed_in


async def test_history_reads_both_ways(live: LiveServer) -> None:
    async with await signed_in(live, "ada") as ada:
        log = live.model.make({1, 2})
        for number in range(1, 13):
            live.model.append(log, 2, f"{number}")
        downwards = [m.seq async for m in ada.history(log.conversation_id, page=5)]
        assert downwards == list(range(12, 0, -1))
        upwards = [m.seq async for m in ada.history(log.conversation_id, after=3, page=5)]
        assert upwards == list(range(4, 13))
        some = [m.seq async for m in ada.history(log.conversation_id, before=4, page=5)]
        assert some == [3, 2, 1]
        assert [m.seq async for m in ada.history(log.conversation_id, before=1)] == []


class Log:
    """Answers pulls from pages by hand."""

    def __init__(self, *pages: message_pb2.PullResponse) -> None:
        self.pages = list(pages)
        self.asked: list[message_pb2.PullRequest] = []

    async def ask(self, operation: str, request: Any) -> Any:
        assert operation == "pull"
        self.asked.append(request)
        return self.pages.pop(0)

    async def read(self, **options: Any) -> list[int]:
        chosen = {"before": None, "after": None, "page": 2, "changes": False, **options}
        return [message.seq async for message in history.read(self.ask, 5, me=1, **chosen)]


def page(
    *seqs: int, more: bool = False, missing: tuple[int, int] | None = None, kind: int = 1
) -> message_pb2.PullResponse:
    answer = message_pb2.PullResponse(more=more, max_seq=99)
    for seq in seqs:
        answer.messages.add(seq=seq, type=kind)  # type: ignore[arg-type]
    if missing is not None:
        answer.missing.add(from_seq=missing[0], to_seq=missing[1])
    return answer


async def test_pages_of_nothing_but_holes_are_passed() -> None:
    log = Log(page(more=True, missing=(1, 4)), page(5, 6))
    assert await log.read(after=0) == [5, 6]
    assert [request.from_seq for request in log.asked] == [1, 5]
    log = Log(page(9, more=True), page(more=True, missing=(5, 8)), page(4))
    assert await log.read() == [9, 4]
    assert [request.to_seq for request in log.asked] == [0, 8, 4]


async def test_a_server_that_says_more_and_gives_nothing_is_not_asked_for_ever() -> None:
    assert await Log(page(more=True)).read(after=0) == []
    assert await Log(page(more=True)).read() == []


async def test_edits_and_recalls_are_given_when_asked_for() -> None:
    kind = int(MessageKind.EDIT)
    assert await Log(page(1, kind=kind)).read(after=0) == []
    assert await Log(page(1, kind=kind)).read(after=0, changes=True) == [1]
