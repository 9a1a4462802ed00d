"""Text of others, made harmless and made to fit.

What somebody sends may hold control characters that a terminal would obey; none of them is ever printed.
"""

import unicodedata
from typing import Final

from rich.cells import cell_len, set_cell_size

_INVISIBLE: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_BIDI: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Overrides that reorder what stands next to them."""


def printable(text: str) -> str:
    """The text with line breaks and nothing else that a terminal would act on; tabs become spaces."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4)
    if text.isascii() and text.isprintable():
        return text
    return "".join(letter if letter == "\n" or _shown(letter) else "\N{REPLACEMENT CHARACTER}" for letter in text)


def one_line(text: str) -> str:
    """The text with its runs of white space as single spaces."""
    return " ".join(printable(text).split())


def fitted(text: str, cells: int) -> str:
    """One line of exactly so many terminal cells: cut with an ellipsis, or filled with spaces."""
    if cells <= 0:
        return ""
    if cell_len(text) <= cells:
        return text + " " * (cells - cell_len(text))
    return (
        set_cell_size(text, cells - 1).rstrip()
        + "…"
        + " " * (cells - 1 - cell_len(set_cell_size(text, cells - 1).rstrip()))
    )


def escaped(text: str) -> str:
    r"""The text on one line: a line break as `\n`, a backslash as `\\`."""
    return printable(text).replace("\\", "\\\\").replace("\n", "\\n")


def _shown(letter: str) -> bool:
    return letter not in _BIDI and unicodedata.category(letter) not in _INVISIBLE
