"""The table of faults."""

from dataclasses import replace
from pathlib import Path

from tests.harness.fault_table import Row, append, put_into, read, to_markdown, worst

ROW = Row("kill -9 of a logic", "one message", 20_412, 3, 0, 0, 1.25, "", "recovery ≤ 15 s", "", "2026-11-28", 2, 3.2)


def test_a_line_has_what_was_measured_and_the_gate() -> None:
    head, rule, line = to_markdown([ROW]).splitlines()
    assert head.count("|") == rule.count("|") == line.count("|")
    assert line == (
        "| kill -9 of a logic | one message | recovery ≤ 15 s"
        " | 20,412 acked, 3 of them unknown at first, 0 lost, 0 shown twice; recovery 1.2 s | 2026-11-28, 2 cores, load 3 | met |"
    )


def test_a_gate_that_was_missed_cannot_be_overlooked() -> None:
    assert "**missed**: recovery took 16.0 s" in to_markdown([replace(ROW, missed="recovery took 16.0 s")])
    assert "1 lost, 0 shown twice; recovery 1.2 s | 2026-11-28, 2 cores, load 3 | **broken** |" in to_markdown(
        [replace(ROW, lost=1)]
    )


def test_rows_are_kept_and_the_last_one_of_a_fault_counts(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    append(path, [ROW, replace(ROW, fault="another")])
    append(path, [replace(ROW, lost=1)])
    assert read(path) == [replace(ROW, lost=1), replace(ROW, fault="another")]


def test_of_several_kills_the_worst_is_told() -> None:
    other = replace(ROW, fault="another")
    slow, missed, lost = replace(ROW, recovery_s=9), replace(ROW, missed="late"), replace(ROW, lost=1)
    assert worst([ROW, other, slow, ROW]) == [slow, other]
    assert worst([slow, missed, ROW]) == [missed]
    assert worst([lost, missed, slow]) == [lost]


def test_a_page_gets_the_rows_between_its_marks_and_keeps_the_rest() -> None:
    page = "# Page\n<!-- faults -->\nold\n<!-- /faults -->\nrest\n"
    made = put_into(page, [ROW])
    assert made.startswith("# Page\n<!-- faults -->\nEach row was measured by `make faults`")
    assert made.endswith("|\n<!-- /faults -->\nrest\n")
    assert "old" not in made
    assert put_into(made, [ROW]) == made


def test_a_row_of_another_day_stays_with_its_day_until_its_fault_is_measured_again() -> None:
    other = replace(ROW, fault="kill -9 of a repo", measured="5 of 5", day="2026-11-30", load=1.0)
    made = put_into(put_into("<!-- faults --><!-- /faults -->", [ROW]), [other])
    rows = [line for line in made.splitlines() if line.startswith("| kill -9")]
    assert rows == to_markdown([ROW, other]).splitlines()[2:]
    again = replace(ROW, day="2026-12-01")
    rows = [line for line in put_into(made, [again]).splitlines() if line.startswith("| kill -9")]
    assert rows == to_markdown([again, other]).splitlines()[2:]


def test_what_never_ran_is_told() -> None:
    made = put_into("<!-- faults --><!-- /faults -->", [ROW])
    assert "Never run yet: kill -9 of a gateway; kill -9 of a repo; " in made
    assert "kill -9 of a logic;" not in made
