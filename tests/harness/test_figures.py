"""Figures that can be told beforehand of a history that is told here."""

import math
from dataclasses import replace

import pytest

from tests.harness import figures
from tests.harness.history import Happening

LOG = 1
ANN, BEN = 7, 8


def happening(kind: str, number: int, at: float, *, device: str = "ann", seq: int = 0) -> Happening:
    user_id = ANN if device == "ann" else BEN
    return Happening(kind, at, device, user_id, LOG, f"ann {LOG} {number}", number, seq)  # type: ignore[arg-type]


@pytest.fixture
def history() -> list[Happening]:
    """Ann sends three messages, the second over a crash; her program and Ben's show them."""
    return [
        happening("offered", 1, 1.0),
        happening("send_invoke", 1, 1.0),
        happening("send_ok", 1, 1.1, seq=1),
        happening("shown", 1, 1.1, device="ann", seq=1),
        happening("shown", 1, 1.2, device="ben", seq=1),
        happening("offered", 2, 2.0),
        happening("send_invoke", 2, 2.0),
        Happening("broken", 2.1),
        Happening("disconnected", 2.2, "ann"),
        happening("send_unknown", 2, 2.2),
        Happening("healed", 5.0),
        Happening("connected", 5.1, "ann"),
        happening("send_invoke", 2, 5.1),
        happening("send_ok", 2, 5.3, seq=2),
        happening("shown", 2, 5.3, device="ann", seq=2),
        happening("shown", 2, 5.5, device="ben", seq=2),
        happening("offered", 3, 6.0),
        happening("send_invoke", 3, 6.0),
        happening("send_ok", 3, 6.1, seq=3),
        happening("shown", 3, 6.1, device="ann", seq=3),
        happening("shown", 3, 6.2, device="ben", seq=3),
    ]


def test_a_delay_counts_from_the_ack(history: list[Happening]) -> None:
    assert figures.delays(history, "ben") == pytest.approx([0.1, 0.2, 0.1])


def test_a_delay_over_a_crash_counts_from_the_restart(history: list[Happening]) -> None:
    late = [replace(one, at=5.6) if one == history[4] else one for one in history]
    assert figures.delays(late, "ben")[0] == pytest.approx(0.6)


def test_recovery_is_the_time_to_the_first_ack(history: list[Happening]) -> None:
    assert figures.recovery_times(history) == pytest.approx([0.3])


def test_a_restart_that_was_killed_before_an_ack_has_no_recovery_time(history: list[Happening]) -> None:
    assert figures.recovery_times([Happening("healed", 1.0), Happening("broken", 1.1), *history]) == pytest.approx(
        [0.3]
    )


def test_the_servers_time_up_leaves_out_its_outages(history: list[Happening]) -> None:
    assert figures.up_s(history) == pytest.approx(6.1 - 1.0 - (5.0 - 2.1))


def test_kills_that_left_unknown_outcomes_are_counted_once_each(history: list[Happening]) -> None:
    assert figures.kills_with_unknown([*history, happening("send_unknown", 3, 9.0), Happening("broken", 9.5)]) == 1
    assert figures.kills_with_unknown([Happening("broken", 0.5), *history]) == 1


def test_all_is_as_before_when_the_last_late_message_was_answered(history: list[Happening]) -> None:
    """The second message was offered at 2.0 and acked at 5.3, 0.3 s after the heal; the third came at once."""
    assert figures.recovery_s(history, healed=5.0) == pytest.approx(0.3)


def test_all_is_as_before_when_the_last_late_message_was_shown(history: list[Happening]) -> None:
    late = replace(history[-1], at=7.2)
    assert figures.recovery_s([*history[:-1], late], healed=5.0) == pytest.approx(2.2)


def test_all_is_as_before_when_everybody_is_connected(history: list[Happening]) -> None:
    assert figures.recovery_s([*history, Happening("connected", 9.0, "ben")], healed=5.0) == pytest.approx(4.0)


def test_who_is_online_waits_from_the_ack_or_from_the_heal(history: list[Happening]) -> None:
    assert figures.shown_s(history, healed=5.0) == pytest.approx(0.2)
    late = replace(history[4], at=5.9)
    assert figures.shown_s([*history, late], healed=5.0) == pytest.approx(0.9)
    assert figures.shown_s([*history, late], healed=5.0, end=1.0) == 0


def test_what_happens_after_the_end_has_another_reason(history: list[Happening]) -> None:
    more = [
        *history,
        Happening("connected", 9.0, "ben"),
        happening("offered", 4, 7.0),
        happening("send_ok", 4, 9.5, seq=4),
    ]
    assert figures.recovery_s(more, healed=5.0, end=7.0) == pytest.approx(0.3)
    assert figures.recovery_s(more, healed=5.0) == pytest.approx(4.5)
    assert figures.away_s(history, begin=3.0) == []


def test_a_fault_that_delayed_nothing_needs_no_recovery(history: list[Happening]) -> None:
    quick = [one for one in history if one.number != 2 and one.kind != "connected"]
    assert figures.recovery_s(quick, healed=5.0) == 0


def test_the_share_answered_is_of_what_was_offered_while_it_was_broken(history: list[Happening]) -> None:
    assert figures.answered_share(history, begin=2.1, end=5.0, within_s=1) == 1
    during = [
        happening("offered", 4, 3.0, device="eve"),
        happening("offered", 5, 3.0, device="ben"),
        happening("send_ok", 4, 3.1, seq=4),
        happening("offered", 6, 3.0, device="cat"),
        happening("offered", 7, 3.0, device="dan"),
        happening("send_ok", 7, 8.0, seq=7),
    ]
    assert figures.answered_share([*history, *during], begin=2.1, end=5.0, within_s=1) == pytest.approx(1 / 4)
    assert figures.answered_share([*history, *during], begin=2.1, end=5.0, within_s=5) == pytest.approx(2 / 4)


def test_who_does_not_come_back_is_away_for_ever(history: list[Happening]) -> None:
    assert figures.away_s(history) == pytest.approx([2.9])
    assert figures.away_s([*history, Happening("disconnected", 9.0, "ben")]) == pytest.approx([2.9, math.inf])


def test_answer_times_count_from_the_offer(history: list[Happening]) -> None:
    assert figures.answer_times(history) == pytest.approx([0.1, 0.1, 3.3])
    assert figures.answer_times(history, begin=6.0) == pytest.approx([0.1])
    assert figures.answer_times([happening("offered", 9, 1.0)]) == [math.inf]


def test_a_message_is_due_when_the_one_ahead_of_it_was_answered(history: list[Happening]) -> None:
    """A slow answer counts once, not for all that wait behind it in the same conversation."""
    behind = [happening("offered", 4, 2.5), happening("send_ok", 4, 5.4, seq=4)]
    assert figures.answer_times([*history[:7], behind[0], *history[7:], behind[1]])[:2] == pytest.approx([0.1, 0.1])
    assert figures.answer_times([*history, happening("offered", 4, 2.5), happening("offered", 5, 2.6)])[-1] == math.inf


def test_a_quantile_is_one_of_the_values() -> None:
    assert figures.quantile([], 0.99) == 0
    assert figures.quantile([1.0, 2.0, 3.0, 4.0], 0.5) == 3.0
    assert figures.quantile([1.0, 2.0, 3.0, 4.0], 1.0) == 4.0
