"""What is answered in the loop turn in which it comes; the rest is asked over real streams, of the wired service."""

from types import SimpleNamespace
from typing import Any

import pytest

from im_infra.errors import ImError
from im_infra.rpc.peer import Peer
from im_proto.repo.v1 import stream_pb2 as pb
from im_repo.log.draft import Range
from im_repo.log.fanout_class import FanoutBounds
from im_repo.outbox.large_rests import LargeRests
from im_repo.outbox.pending import Pending
from im_repo.servicer import RepoRequests

NOT_ASKED: Any = None


class Responder:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.answers: list[pb.RepoResponse] = []
        self.along: list[pb.RepoResponse] = []

    def answer(self, body: bytes) -> None:
        self.answers.append(pb.RepoResponse.FromString(body))

    def answer_along(self, body: bytes) -> None:
        self.along.append(pb.RepoResponse.FromString(body))


class Bench:
    def __init__(self) -> None:
        self.pending = Pending(max_rows=3, sweep_after_ms=3_000, max_backoff_ms=5_000)
        self.rests = LargeRests(lambda: 0.0)
        self.stream: Any = SimpleNamespace(peer=Peer("logic-1", "boot"))
        self._requests = RepoRequests(
            NOT_ASKED,
            appender=NOT_ASKED,
            pending=self.pending,
            rests=self.rests,
            cursors=NOT_ASKED,
            bounds=FanoutBounds(),
        )

    def handle(self, **request: Any) -> Responder:
        responder: Any = Responder()
        self._requests.handle(self.stream, pb.RepoRequest(**request).SerializeToString(), responder)
        return responder


def test_a_confirmation_counts_and_its_answer_has_no_frame_of_its_own() -> None:
    bench = Bench()
    bench.pending.add(1, [Range(70, 5, 6, 1)], now=0.0)
    stretch = pb.ConfirmedRange(outbox_id=1, conversation_id=70, from_seq=5, to_seq=6)
    responder = bench.handle(confirm=pb.Confirm(ranges=[stretch]))
    assert bench.pending.take_done(9) == [1]
    assert (responder.answers, responder.along) == ([], [pb.RepoResponse(confirmed=pb.Confirmed())])


def test_who_cannot_deliver_large_ranges_is_left_alone() -> None:
    bench = Bench()
    bench.handle(confirm=pb.Confirm(large_rest_ms=500))
    assert bench.rests.awake([bench.stream]) == []


def test_what_a_newer_peer_asks_is_unknown() -> None:
    with pytest.raises(ImError) as caught:
        Bench().handle()
    assert caught.value.reason.name == "OPERATION_UNKNOWN"
