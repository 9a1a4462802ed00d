import grpc
import pytest

from im_infra.rpc.in_process.context import InProcessContext


def test_a_call_without_a_deadline_has_none_left() -> None:
    assert InProcessContext(metadata=None).time_remaining() is None


def test_the_time_left_never_goes_below_nothing() -> None:
    assert 0 < (InProcessContext(metadata=None, timeout_s=5).time_remaining() or 0) <= 5
    assert InProcessContext(metadata=None, timeout_s=-1).time_remaining() == 0


def test_the_caller_is_known_by_what_it_sent() -> None:
    context = InProcessContext(metadata=[("trace", "1")])
    assert context.invocation_metadata() == (("trace", "1"),)
    assert context.peer() == "in-process:"


async def test_aborting_keeps_the_status_and_its_metadata() -> None:
    context = InProcessContext(metadata=None)
    with pytest.raises(grpc.aio.AbortError):
        await context.abort(grpc.StatusCode.NOT_FOUND, "nothing here", (("key", "value"),))
    error = context.status.error()
    assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "nothing here")
    assert list(error.trailing_metadata()) == [("key", "value")]


def test_a_status_may_be_set_without_aborting() -> None:
    context = InProcessContext(metadata=None)
    context.set_code(grpc.StatusCode.NOT_FOUND)
    context.set_details("nothing here")
    context.set_trailing_metadata([("key", "value")])
    assert context.status.error().code() is grpc.StatusCode.NOT_FOUND
    assert context.status.trailing_metadata == (("key", "value"),)
