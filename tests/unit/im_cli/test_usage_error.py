"""What is wrong with a command line is told in our words, with the command whose help to read."""

from enum import StrEnum
from typing import Annotated

import pytest
import typer
from typer.exceptions import TyperException

from im_cli.usage_error import advice_for, problem_of


class Colour(StrEnum):
    RED = "red"


def refused(*arguments: str) -> TyperException:
    """What Typer raises for these."""
    app = typer.Typer()
    group = typer.Typer(no_args_is_help=True)
    app.add_typer(group, name="group")

    @group.command("act")
    def act(
        rate: Annotated[float, typer.Option(min=0.5, max=2_000_000)] = 1,
        count: Annotated[int, typer.Option(min=1)] = 1,
        colour: Colour = Colour.RED,
    ) -> None:
        """Nothing."""

    app.command("other")(lambda: None)
    with pytest.raises(TyperException) as caught:
        app(["group", *arguments], prog_name="im", standalone_mode=False)
    return caught.value


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rate", "nan"), "Invalid value for '--rate': 'nan' is not a number"),
        (("--rate", "inf"), "Invalid value for '--rate': inf is more than 2,000,000"),
        (("--rate", "1e308"), "Invalid value for '--rate': 1e308 is more than 2,000,000"),
        (("--rate", "0.1"), "Invalid value for '--rate': 0.1 is less than 0.5"),
        (("--rate", "x"), "Invalid value for '--rate': 'x' is not a number"),
        (("--count", "2.5"), "Invalid value for '--count': '2.5' is not a whole number"),
        (("--count", "x"), "Invalid value for '--count': 'x' is not a whole number"),
        (("--colour", "blue"), "Invalid value for '--colour': 'blue' is not one of 'red'."),
        (("--nope",), "No such option: --nope"),
    ],
)
def test_a_wrong_value_is_told_in_our_words(arguments: tuple[str, ...], said: str) -> None:
    error = refused("act", *arguments)
    assert problem_of(error) == said
    assert advice_for(error) == "`im group act --help` tells what there is"


def test_a_group_without_a_command_has_printed_its_help_and_nothing_more() -> None:
    assert problem_of(refused()) == ""
