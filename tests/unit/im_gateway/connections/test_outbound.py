"""The bounded queue of a connection."""

from hypothesis import given
from hypothesis import strategies as st

from im_gateway.connections.outbound import Outbound


def test_answers_and_pushes_keep_their_order() -> None:
    outbound = Outbound(10, 1000)
    outbound.push(b"p1", 0.0)
    outbound.answer(b"a1")
    outbound.push(b"p2", 0.0)
    outbound.answer_first(b"hello")
    assert outbound.take(1000)[0] == [b"hello", b"p1", b"a1", b"p2"]
    assert (len(outbound), outbound.bytes, outbound.answer_bytes) == (0, 0, 0)


def test_over_the_number_all_pushes_go_and_answers_stay() -> None:
    outbound = Outbound(2, 1000)
    outbound.answer(b"a1")
    assert outbound.push(b"p1", 1.0)
    assert outbound.push(b"p2", 1.0)
    outbound.answer(b"a2")
    assert not outbound.push(b"p3", 2.0)
    assert outbound.lagged_at == 2.0
    assert not outbound.push(b"p4", 3.0)
    assert outbound.take(1000)[0] == [b"a1", b"a2"]
    assert outbound.caught_up() == 4
    assert outbound.lagged_at is None
    assert outbound.push(b"p5", 4.0)


def test_several_frames_in_one_chunk_count_as_so_many() -> None:
    outbound = Outbound(10, 1000)
    outbound.answer(b"a1")
    assert outbound.push(b"p1p2p3", 0.0, 3)
    assert outbound.take(1000) == ([b"a1", b"p1p2p3"], 4)
    assert outbound.push(b"p" * 8, 0.0, 8)
    assert not outbound.push(b"ppp", 1.0, 3)
    assert outbound.caught_up() == 11


def test_a_chunk_alone_is_as_many_frames_as_it_holds() -> None:
    """In JSON several are a list, and one is none."""
    outbound = Outbound(10, 1000)
    assert outbound.push(b"p1p2p3", 0.0, 3)
    assert outbound.take(1000) == ([b"p1p2p3"], 3)
    outbound.answer(b"a1")
    assert outbound.take(1000) == ([b"a1"], 1)
    assert (len(outbound), outbound.bytes) == (0, 0)


def test_over_the_bytes_too() -> None:
    outbound = Outbound(100, 10)
    assert outbound.push(b"x" * 6, 0.0)
    assert not outbound.push(b"x" * 6, 0.0)
    assert outbound.bytes == 0


def test_what_nobody_misses_makes_nobody_lag() -> None:
    outbound = Outbound(1, 1000)
    assert outbound.push_ephemeral(b"p1", 0.0)
    assert not outbound.push_ephemeral(b"p2", 0.0)
    assert (outbound.lagged_at, outbound.dropped) == (None, 0)
    assert outbound.take(1000)[0] == [b"p1"]


def test_a_message_holds_what_fits_and_at_least_one() -> None:
    outbound = Outbound(100, 1000)
    for chunk in (b"x" * 30, b"y" * 5, b"z" * 5, b"w" * 20):
        outbound.push(chunk, 0.0)
    assert [len(b"".join(outbound.take(12)[0])) for _ in range(3)] == [30, 10, 20]


@given(st.lists(st.tuples(st.sampled_from(["answer", "push", "ephemeral", "take"]), st.integers(0, 50)), max_size=80))
def test_bounds_and_counts_hold_whatever_happens(steps: list[tuple[str, int]]) -> None:
    outbound = Outbound(5, 100)
    answers: list[bytes] = []
    for number, (step, size) in enumerate(steps):
        chunk = f"{step[0]}{number}".encode() + b"." * size
        if step == "answer":
            outbound.answer(chunk)
            answers.append(chunk)
        elif step == "push":
            outbound.push(chunk, float(number))
        elif step == "ephemeral":
            outbound.push_ephemeral(chunk, float(number))
        elif outbound:
            for taken in outbound.take(size)[0]:
                if taken.startswith(b"a"):
                    assert taken == answers.pop(0)
        assert outbound.bytes - outbound.answer_bytes <= 100
        assert len(outbound) - len(answers) <= 5
        assert outbound.answer_bytes == sum(map(len, answers))
