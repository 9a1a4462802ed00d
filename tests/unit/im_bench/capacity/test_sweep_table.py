"""A row for each value, a column for each figure that there is."""

from im_bench.capacity.sweep_table import sweep_table
from im_bench.report.verdict import Verdict
from tests.unit.im_bench.capacity.conftest import ran, swept


def test_a_value_costs_so_many_times_what_the_first_does() -> None:
    head, rows = sweep_table(swept((10, ran(1.5)), (1_000, ran(5.5))), ranges=False)
    told = [dict(zip(head, row, strict=True)) for row in rows]
    assert [row["members"] for row in told] == ["10", "1,000"]
    assert [(row["CPU each, µs"], row["of the first"]) for row in told] == [("2,000", "1.00"), ("6,000", "3.00")]
    assert (told[0]["delivery p99, ms"], told[0]["delivered/s"], told[0]["verdict"]) == ("9", "900", "GOOD")


def test_ranges_are_told_where_they_are_wanted() -> None:
    sweep = swept((10, ran(1.5)), (10, ran(2.5)), rounds=2)
    columns = [
        dict(zip(head, rows[0], strict=True)) for head, rows in (sweep_table(sweep, ranges=r) for r in (True, False))
    ]
    assert [column["CPU each, µs"] for column in columns] == ["2,500 [2,000 to 3,000]", "2,500"]


def test_a_value_without_figures_has_dashes_and_its_verdicts() -> None:
    bad = ran(1, verdict=Verdict.INVALID)
    head, rows = sweep_table(swept((2, bad), (10, ran(1.5)), (10, bad)), ranges=False)
    told = [dict(zip(head, row, strict=True)) for row in rows]
    assert (told[0]["CPU each, µs"], told[0]["of the first"], told[0]["verdict"]) == ("-", "-", "INVALID")
    assert (told[1]["of the first"], told[1]["verdict"]) == ("1.00", "1 GOOD, 1 INVALID")


def test_a_server_elsewhere_has_no_column_of_costs() -> None:
    head, _ = sweep_table(swept((2, ran(0, resources=None)), (10, ran(0, resources=None))), ranges=True)
    assert not {"CPU each, µs", "of the first"} & set(head)
    assert "delivery p50, ms" in head
