"""Every checker finds what is planted for it, and nothing in a run where all is well."""

from dataclasses import replace

import pytest

from tests.harness import checkers
from tests.harness.checkers import Row
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
        happening("send_invoke", 1, 1.0),
        happening("send_ok", 1, 1.1, seq=1),
        happening("shown", 1, 1.1, device="ann", seq=1),
        happening("shown", 1, 1.2, device="ben", seq=1),
        happening("send_invoke", 2, 2.0),
        happening("send_unknown", 2, 2.2),
        happening("send_invoke", 2, 5.1),
        happening("send_ok", 2, 5.3, seq=2),
        happening("shown", 2, 5.3, device="ann", seq=2),
        happening("shown", 2, 5.5, device="ben", seq=2),
        happening("send_invoke", 3, 6.0),
        happening("send_ok", 3, 6.1, seq=3),
        happening("shown", 3, 6.1, device="ann", seq=3),
        happening("shown", 3, 6.2, device="ben", seq=3),
    ]


@pytest.fixture
def rows() -> list[Row]:
    return [Row(number, ANN, f"ann {LOG} {number}") for number in (1, 2, 3)]


def all_violations(history: list[Happening], rows: list[Row]) -> list[str]:
    logs = {LOG: rows}
    return [
        *checkers.lost(history, logs),
        *checkers.doubled(logs),
        *checkers.never_sent(history, logs),
        *checkers.refused_and_stored(history, logs),
        *checkers.unresolved(history),
        *checkers.holes(logs),
        *checkers.out_of_order(history, logs),
        *checkers.shown_twice(history),
        *checkers.shown_out_of_order(history),
        *checkers.not_shown(history, logs, {"ann": [LOG], "ben": [LOG]}),
        *checkers.told_lost(history),
        *checkers.different(logs, {LOG: rows}),
    ]


def test_a_run_where_all_is_well_has_no_violation(history: list[Happening], rows: list[Row]) -> None:
    assert all_violations(history, rows) == []


def test_an_acked_message_that_is_not_stored_is_lost(history: list[Happening], rows: list[Row]) -> None:
    assert len(checkers.lost(history, {LOG: rows[:2]})) == 1


def test_an_acked_message_at_another_place_is_lost(history: list[Happening], rows: list[Row]) -> None:
    moved = [rows[0], rows[2]._replace(seq=2), rows[1]._replace(seq=3)]
    assert len(checkers.lost(history, {LOG: moved})) == 2


def test_an_acked_message_whose_log_is_gone_is_lost(history: list[Happening]) -> None:
    assert len(checkers.lost(history, {})) == 3


def test_two_acks_with_different_places_contradict_each_other(history: list[Happening], rows: list[Row]) -> None:
    assert checkers.lost([*history, happening("send_ok", 3, 7.0, seq=4)], {LOG: rows})


def test_a_message_stored_twice_is_doubled(rows: list[Row]) -> None:
    assert len(checkers.doubled({LOG: [*rows, rows[1]._replace(seq=4)]})) == 1


def test_notices_have_no_key_and_may_repeat() -> None:
    assert checkers.doubled({LOG: [Row(1, 0, ""), Row(2, 0, "")]}) == []


def test_a_message_nobody_sent_is_found(history: list[Happening], rows: list[Row]) -> None:
    assert checkers.never_sent(history, {LOG: [*rows, Row(4, ANN, "made up")]})


def test_a_message_under_another_senders_name_is_found(history: list[Happening], rows: list[Row]) -> None:
    assert checkers.never_sent(history, {LOG: [rows[0]._replace(sender_id=BEN), *rows[1:]]})


def test_a_message_in_another_conversation_is_found(history: list[Happening], rows: list[Row]) -> None:
    assert checkers.never_sent(history, {LOG: rows, 2: [rows[0]]})


def test_a_refused_message_that_is_stored_is_found(history: list[Happening], rows: list[Row]) -> None:
    assert checkers.refused_and_stored([*history, happening("send_fail", 3, 7.0)], {LOG: rows})


def test_an_unknown_outcome_is_not_lost_but_must_be_resolved(history: list[Happening], rows: list[Row]) -> None:
    unknown = [*history, happening("send_invoke", 4, 8.0), happening("send_unknown", 4, 8.1)]
    assert checkers.lost(unknown, {LOG: rows}) == []
    assert len(checkers.unresolved(unknown)) == 1


def test_the_senders_own_screen_resolves_an_outcome_and_nobody_elses(history: list[Happening]) -> None:
    unknown = [*history, happening("send_invoke", 4, 8.0)]
    assert checkers.unresolved([*unknown, happening("shown", 4, 8.2, device="ben", seq=4)])
    assert not checkers.unresolved([*unknown, happening("shown", 4, 8.2, device="ann", seq=4)])


def test_a_missing_seq_is_a_hole(rows: list[Row]) -> None:
    assert checkers.holes({LOG: [rows[0], rows[2]]})
    assert checkers.holes({LOG: rows[1:]})


def test_a_seq_given_twice_is_found(rows: list[Row]) -> None:
    assert checkers.holes({LOG: [rows[0], rows[1], rows[1]]})


def test_a_senders_swapped_messages_are_out_of_order(history: list[Happening], rows: list[Row]) -> None:
    swapped = [rows[0], rows[2]._replace(seq=2), rows[1]._replace(seq=3)]
    assert len(checkers.out_of_order(history, {LOG: swapped})) == 1


def test_readers_that_read_differently_are_found(rows: list[Row]) -> None:
    assert checkers.different({LOG: rows}, {LOG: rows[:2]})
    assert checkers.different({LOG: rows}, {})


def test_a_message_shown_twice_is_found_by_its_text_and_by_its_place(history: list[Happening]) -> None:
    assert len(checkers.shown_twice([*history, happening("shown", 3, 9.0, device="ben", seq=4)])) == 1
    assert len(checkers.shown_twice([*history, happening("shown", 4, 9.0, device="ben", seq=3)])) == 1


def test_two_devices_may_show_the_same(history: list[Happening]) -> None:
    assert checkers.shown_twice([*history, replace(history[3], device="ben-2")]) == []


def test_an_entry_shown_after_a_later_one_is_found(history: list[Happening]) -> None:
    assert checkers.shown_out_of_order([history[13], history[9]])


def test_an_entry_never_shown_is_found(history: list[Happening], rows: list[Row]) -> None:
    assert len(checkers.not_shown(history[:-1], {LOG: rows}, {"ben": [LOG]})) == 1


def test_another_text_shown_at_its_place_is_found(history: list[Happening], rows: list[Row]) -> None:
    spoilt = [*history[:-1], replace(history[-1], key="something else")]
    assert len(checkers.not_shown(spoilt, {LOG: rows}, {"ben": [LOG]})) == 1


def test_what_a_device_does_not_follow_it_need_not_show(history: list[Happening], rows: list[Row]) -> None:
    assert checkers.not_shown(history, {2: rows}, {"ben": [LOG]}) == []


def test_an_entry_outside_of_the_windows_is_a_leak(history: list[Happening]) -> None:
    assert checkers.leaked(history, {(LOG, BEN): [(1, 1), (3, 0)]})
    assert checkers.leaked([history[-1]], {(LOG, BEN): [(1, 2)]})
    assert checkers.leaked(history, {(LOG, BEN): [(1, 2), (3, 0)]}) == []


def test_who_has_no_windows_sees_all(history: list[Happening]) -> None:
    assert checkers.leaked(history, {}) == []


def test_a_wrong_unread_count_is_found(rows: list[Row]) -> None:
    assert checkers.miscounted({LOG: rows}, {LOG: (1, 2)}, reader_id=BEN) == []
    assert checkers.miscounted({LOG: rows}, {LOG: (1, 0)}, reader_id=BEN)
    assert checkers.miscounted({LOG: rows}, {LOG: (0, 0)}, reader_id=ANN) == []


def test_a_device_told_that_entries_will_not_come_is_found(history: list[Happening]) -> None:
    assert checkers.told_lost([*history, Happening("untold", 9.0, "ben", BEN, LOG, seq=2)])
