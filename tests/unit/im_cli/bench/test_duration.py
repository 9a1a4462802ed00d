import pytest
import typer

from im_cli.bench.duration import seconds, seconds_between


@pytest.mark.parametrize(
    ("written", "length"), [("30", 30), ("30s", 30), ("0.5", 0.5), ("500ms", 0.5), ("2m", 120), (" 1.5s ", 1.5)]
)
def test_a_length_with_its_unit(written: str, length: float) -> None:
    assert seconds(written) == pytest.approx(length)


@pytest.mark.parametrize("written", ["", "s", "-1s", "1h", "1 s", "1,5s", "nan", "inf", "30ss"])
def test_what_is_no_length(written: str) -> None:
    with pytest.raises(typer.BadParameter, match="30s, 500ms or 2m"):
        seconds(written)


def test_a_latency_has_its_unit() -> None:
    assert seconds("200ms", needs_unit=True) == pytest.approx(0.2)
    with pytest.raises(typer.BadParameter):
        seconds("200", needs_unit=True)


def test_the_limits_are_told_and_a_default_taken_as_it_is() -> None:
    parse = seconds_between(0.1, 86_400)
    assert parse("100ms") == pytest.approx(0.1)
    assert parse(20.0) == 20
    with pytest.raises(typer.BadParameter, match=r"50ms is less than 0\.1 s"):
        parse("50ms")
    with pytest.raises(typer.BadParameter, match=r"is more than 86,400 s"):
        parse("86401s")
    with pytest.raises(typer.BadParameter, match="is more than"):
        parse("9" * 400)
