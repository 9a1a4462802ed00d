import random
from typing import Any

from im_proto.v1 import session_pb2
from im_sdk._error_table import ErrorNumber
from im_sdk._errors import ImError, UnreachableError, from_table
from im_sdk._requests import Request, Requests

LOST = UnreachableError.because("lost")


class Asked:
    """A request whose end is noted."""

    def __init__(self, requests: Requests, *, deadline: float = 30, repeats: bool = True) -> None:
        self.ends: list[Any] = []
        self.request = Request(
            "ping",
            session_pb2.PingRequest(),
            lambda answer, error, _now: self.ends.append(error or answer),
            deadline=deadline,
            repeats=repeats,
        )
        requests.add(self.request)


def table() -> Requests:
    return Requests(answer_timeout_s=15, source=random.Random(1))


def take(requests: Requests, now: float = 0) -> list[Request]:
    return requests.take(now, own_only=False)


def test_an_answer_settles_it() -> None:
    requests = table()
    asked = Asked(requests)
    assert take(requests) == [asked.request]
    assert requests.find(asked.request.request_id) is asked.request
    requests.answered(asked.request, session_pb2.PingResponse(server_time=5), 1)
    assert asked.ends == [session_pb2.PingResponse(server_time=5)]
    assert len(requests) == 0


def test_before_the_sync_only_the_connections_own_go() -> None:
    requests = table()
    Asked(requests)
    own = Asked(requests, repeats=False)
    assert requests.take(0, own_only=True) == [own.request]


def test_a_lost_connection_repeats_it_under_another_number() -> None:
    requests = table()
    asked, own = Asked(requests), Asked(requests, repeats=False)
    take(requests)
    requests.connection_lost(1, LOST)
    assert own.ends == [LOST]
    assert asked.ends == []
    assert take(requests, 2) == [asked.request]
    assert asked.request.attempt == 2


def test_a_busy_server_is_asked_later() -> None:
    requests = table()
    asked = Asked(requests)
    take(requests)
    error = from_table(ErrorNumber.RATE_LIMITED, "slow down")
    error.retry_after_ms = 3_000
    requests.refused(asked.request, error, 0)
    assert take(requests, 2.9) == []
    assert 3 < requests.deadline() < 4
    assert take(requests, requests.deadline()) == [asked.request]


def test_a_wait_past_the_deadline_is_not_waited() -> None:
    requests = table()
    asked = Asked(requests, deadline=2)
    take(requests)
    error = from_table(ErrorNumber.RATE_LIMITED, "slow down")
    error.retry_after_ms = 3_000
    requests.refused(asked.request, error, 0)
    assert asked.ends == [error]


def test_a_final_refusal_is_final() -> None:
    requests = table()
    asked = Asked(requests)
    take(requests)
    error = from_table(ErrorNumber.USER_NOT_FOUND, "who")
    requests.refused(asked.request, error, 0)
    assert asked.ends == [error]


def test_a_bug_of_the_servers_is_met_twice() -> None:
    requests = table()
    asked = Asked(requests)
    bug = from_table(ErrorNumber.INTERNAL, "bug")
    take(requests)
    requests.refused(asked.request, bug, 0)
    take(requests, 1)
    requests.refused(asked.request, bug, 1)
    assert asked.ends == [bug]


def test_without_an_answer_it_is_repeated_until_its_deadline() -> None:
    requests = table()
    asked = Asked(requests)
    first = take(requests)[0].request_id
    assert requests.deadline() == 15
    requests.expire(15)
    assert take(requests, 15)[0].request_id != first
    assert requests.find(first) is None
    requests.expire(30)
    assert [end.number for end in asked.ends if isinstance(end, ImError)] == [ErrorNumber.DEADLINE_EXCEEDED]
    assert requests.deadline() == float("inf")


def test_the_deadline_holds_without_a_connection() -> None:
    requests = table()
    asked = Asked(requests, deadline=5)
    requests.expire(5)
    assert asked.ends[0].number == ErrorNumber.DEADLINE_EXCEEDED


def test_what_was_withdrawn_is_not_told() -> None:
    requests = table()
    waiting, written = Asked(requests), Asked(requests)
    requests.withdraw(waiting.request)
    assert take(requests) == [written.request]
    requests.withdraw(written.request)
    requests.fail_all(LOST, 0)
    assert waiting.ends == written.ends == []


def test_the_end_fails_everything() -> None:
    requests = table()
    written = Asked(requests)
    take(requests)
    waiting = Asked(requests)
    requests.fail_all(LOST, 0)
    assert written.ends == waiting.ends == [LOST]
