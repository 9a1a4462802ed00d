"""A receiver against planted violations, each counted as what it is."""

import time

from im_bench.ledger.correctness import Correctness
from im_bench.load.receiver import Receiver
from im_bench.load.stamp import write_stamp
from im_bench.load.window import Window
from im_bench.measure.tally import Tally

CHAT = 40


def make(window: Window | None = None) -> tuple[Receiver, Tally, Correctness]:
    tally, correctness = Tally(), Correctness()
    receiver = Receiver("run", window or Window(0, 0, 1e12), tally, correctness)
    receiver.join(1, CHAT, 10)
    return receiver, tally, correctness


def push(receiver: Receiver, seq: int, number: int, *, sender: int = 2, ago_s: float = 0.0) -> None:
    receiver.deliver(CHAT, seq, write_stamp("run", sender, number, time.monotonic() - ago_s, ""))


def test_a_message_is_counted_and_timed_from_its_intended_moment() -> None:
    receiver, tally, correctness = make()
    push(receiver, 11, 1, ago_s=2.0)
    assert tally.delivered == 1
    assert min(tally.delivery.take()) >= 1_999_000
    assert correctness == Correctness()


def test_the_same_entry_again_is_a_repeat_and_the_same_message_at_another_seq_a_duplicate() -> None:
    receiver, tally, correctness = make()
    push(receiver, 11, 1)
    push(receiver, 11, 1)
    assert correctness == Correctness(repeat=1), "a client drops it by its seq"
    push(receiver, 12, 1)
    assert correctness == Correctness(repeat=1, duplicate=1), "stored twice: people would see it twice"
    assert tally.delivered == 1


def test_ones_own_message_behind_its_ack_is_no_repeat() -> None:
    receiver, tally, correctness = make()
    receiver.inboxes[CHAT].seqs.add(11)  # as the ack does
    push(receiver, 11, 1, sender=1)
    assert (tally.delivered, correctness) == (0, Correctness()), "large conversations push it to everybody"


def test_a_swap_is_a_gap_and_out_of_order() -> None:
    receiver, _, correctness = make()
    push(receiver, 12, 2)
    push(receiver, 11, 1)
    assert correctness == Correctness(gap=1, out_of_order=1)


def test_what_is_not_of_this_run_or_conversation_or_ones_own_is_nothing() -> None:
    receiver, tally, correctness = make()
    receiver.deliver(CHAT, 11, "hello")
    receiver.deliver(CHAT + 1, 1, write_stamp("run", 2, 1, 0.0, ""))
    push(receiver, 12, 1, sender=1)
    push(receiver, 9, 1)
    assert tally.delivered == 0
    assert correctness == Correctness(repeat=1), "below where the run began: an old entry, pushed again"


def test_outside_the_window_nothing_is_timed_but_all_is_checked() -> None:
    receiver, tally, correctness = make(Window(0, 1, 2))
    push(receiver, 11, 1)
    push(receiver, 13, 3)
    assert tally.delivery.take() == {}
    assert correctness.gap == 1


def test_a_resync_counts_once_the_load_began() -> None:
    receiver, _, correctness = make(Window(time.monotonic() + 60, 0, 0))
    receiver.resync()
    assert correctness.resync == 0
    receiver, _, correctness = make()
    receiver.resync()
    assert correctness.resync == 1


def test_a_close_by_the_server_is_told_with_its_code() -> None:
    receiver, tally, _ = make()
    receiver.connected()
    assert tally.connections == 1
    receiver.closed(4000)
    assert (tally.connections, receiver.closed_with, tally.counts["closed with 4000"]) == (0, 4000, 1)


def test_a_socket_whose_hello_was_refused_never_was_a_connection() -> None:
    receiver, tally, _ = make()
    receiver.closed(4000)
    assert (tally.connections, tally.counts) == (0, {})


def test_a_close_right_behind_the_hellos_answer_is_told() -> None:
    receiver, tally, _ = make()
    receiver.closed(4000)
    receiver.connected()
    assert (tally.connections, tally.counts) == (0, {"closed with 4000": 1})


def test_heads_are_kept_at_their_highest() -> None:
    receiver, _, _ = make()
    receiver.head(CHAT, 5)
    receiver.head(CHAT, 3)
    assert receiver.heads == {CHAT: 5}
