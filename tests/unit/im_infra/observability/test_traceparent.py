import pytest

from im_infra.observability import traceparent

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def test_a_sampled_one_is_read_and_written_again() -> None:
    said = f"00-{TRACE}-{SPAN}-01"
    context = traceparent.read(said)
    assert len(context) == traceparent.CONTEXT_BYTES
    assert (traceparent.trace_id(context), traceparent.span_id(context)) == (TRACE, SPAN)
    assert traceparent.write(context) == said


def test_a_later_version_may_say_more() -> None:
    assert traceparent.read(f"01-{TRACE}-{SPAN}-03-more")


@pytest.mark.parametrize(
    "said",
    [
        "",
        "sampled",
        f"00-{TRACE}-{SPAN}-00",
        f"00-{TRACE}-{SPAN}-02",
        f"00-{TRACE}-{SPAN}-01-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01\n",
        f" 00-{TRACE}-{SPAN}-01",
    ],
)
def test_what_is_not_sampled_or_malformed_is_none(said: str) -> None:
    assert traceparent.read(said) == b""


def test_half_a_context_is_none() -> None:
    assert not traceparent.is_whole(b"")
    assert not traceparent.is_whole(bytes(24))
    assert not traceparent.is_whole(b"x" * 23)
    assert traceparent.is_whole(b"x" * 24)
