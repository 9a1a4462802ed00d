import pytest
from textual.color import Color

from im_cli.chat.widgets.palette import DARK, DARK_THEME, LIGHT, LIGHT_THEME, Palette


@pytest.mark.parametrize(("palette", "background"), [(DARK, DARK_THEME.background), (LIGHT, LIGHT_THEME.background)])
def test_every_text_colour_is_readable_on_its_background(palette: Palette, background: str) -> None:
    for colour in (
        palette.own,
        palette.text,
        palette.faint,
        palette.new,
        palette.read,
        palette.failed,
        *palette.others,
    ):
        assert _contrast(Color.parse(colour), Color.parse(background)) >= 4.5, colour


def test_somebody_has_always_the_same_colour() -> None:
    assert DARK.of(12345) == DARK.of(12345)


def _contrast(one: Color, other: Color) -> float:
    lights = sorted((_luminance(one), _luminance(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(colour: Color) -> float:
    def linear(part: int) -> float:
        value = part / 255
        return float(value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4)

    return 0.2126 * linear(colour.r) + 0.7152 * linear(colour.g) + 0.0722 * linear(colour.b)
