"""The colours of names, ticks and dividers, for a dark and a light screen."""

from dataclasses import dataclass
from typing import Final

from textual.theme import Theme


@dataclass(frozen=True, slots=True)
class Palette:
    """Rich styles; each readable on its theme's background (contrast of at least 4.5)."""

    own: str
    others: tuple[str, ...]
    text: str
    faint: str
    line: str
    """Dividers."""
    new: str
    read: str
    failed: str
    selected: str
    """The background of the selected message."""

    def of(self, user_id: int) -> str:
        """Somebody's colour, always the same."""
        return self.others[user_id % len(self.others)]


DARK: Final = Palette(
    own="#6cb6ff",
    others=("#f69d50", "#8ddb8c", "#dcbdfb", "#f47067", "#e0c05c", "#6fd3cf", "#fc8dc7", "#a8c7fa"),
    text="#dfe5ec",
    faint="#8b96a3",
    line="#4a5562",
    new="#f69d50",
    read="#4cc2ff",
    failed="#ff7b72",
    selected="#26303b",
)
LIGHT: Final = Palette(
    own="#0a58ca",
    others=("#a34100", "#1a6e2e", "#7b3fb5", "#b3261e", "#7a5b00", "#00696b", "#a5256e", "#3d4fa8"),
    text="#1c2733",
    faint="#5b6773",
    line="#b4bec8",
    new="#a34100",
    read="#0068c9",
    failed="#b3261e",
    selected="#dbe7f5",
)

DARK_THEME: Final = Theme(
    name="im-dark", primary="#6cb6ff", secondary="#8b96a3", accent="#6cb6ff", foreground="#dfe5ec",
    background="#12181f", surface="#171f28", panel="#1e2832", success="#8ddb8c", warning="#f69d50", error="#ff7b72",
    dark=True,
)  # fmt: skip
LIGHT_THEME: Final = Theme(
    name="im-light", primary="#0a58ca", secondary="#5b6773", accent="#0a58ca", foreground="#1c2733",
    background="#ffffff", surface="#f4f7fa", panel="#e6ecf2", success="#1a6e2e", warning="#a34100", error="#b3261e",
    dark=False,
)  # fmt: skip
