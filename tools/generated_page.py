"""What the generators of reference pages share: writing a page, or comparing it."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def cell(text: object) -> str:
    """A text that may stand in a Markdown table."""
    return " ".join(str(text).split()).replace("|", "\\|")


def row(*cells: object) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(cell(each) for each in cells)} |"


def table(*names: str) -> list[str]:
    """A table's first two lines."""
    return [row(*names), row(*("---" for _ in names))]


def sentence(text: str) -> str:
    """`text` with a capital letter and a full stop."""
    text = " ".join(text.split())
    text = text[:1].upper() + text[1:]
    return text if not text or text[-1] in ".?!" else f"{text}."


def finish(name: str, lines: list[str], *, folder: str = "docs/reference") -> None:
    """Write the file of that name in `folder`, or with `--check` on the command line compare it.

    Raises:
        SystemExit: the page differs.
    """
    path = ROOT / folder / name
    text = "\n".join(lines).rstrip() + "\n"
    if "--check" not in sys.argv[1:]:
        path.write_text(text, encoding="utf-8")
    elif not path.exists() or path.read_text(encoding="utf-8") != text:
        raise SystemExit(f"{folder}/{name} is not what the code says, run `make docs`")
