"""Fills a page in. The figures travel as data within it; `plot.js` draws them as wide as the window is."""

import html
import json
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any


def fill(kind: str, values: Mapping[str, str], *, title: str, data: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    """A page that needs nothing beside it.

    Args:
        kind: `KIND.html` is its body, `KIND.js` says what its figures draw.
        values: HTML by the name of its place in the body.
        title: the window's; a text.
        data: what the script reads.
    """
    folder = files(__package__)

    def part(name: str) -> str:
        return folder.joinpath(name).read_text(encoding="utf-8")

    # `<` would let a text within the data end the script element.
    told = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    scripts = part("plot.js") + part(f"{kind}.js")
    body = _filled(part(f"{kind}.html"), values)
    frame = {"TITLE": html.escape(title), "CSS": part("page.css"), "BODY": body, "DATA": told, "JS": scripts}
    return _filled(part("page.html"), frame)


def _filled(template: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        template = template.replace(f"{{{{{name}}}}}", value)
    return template


def remarks(reasons: Iterable[str], notes: Iterable[str]) -> str:
    """What a reader must know before the figures; nothing where there is nothing."""
    told = [f'<li class="reason">{html.escape(text)}</li>' for text in reasons]
    told += [f"<li>{html.escape(text)}</li>" for text in notes]
    return f'<ul class="remarks">{"".join(told)}</ul>' if told else ""


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table whose first column names the row."""
    top = "".join(f"<th scope=col>{html.escape(cell)}</th>" for cell in head)
    body = "".join(
        f"<tr><th scope=row>{html.escape(row[0])}</th>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row[1:])}</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def details(told: Mapping[str, Any]) -> str:
    """Settings and machine, in full; what is empty is left out."""
    rows = [
        [name, value if isinstance(value, str) else json.dumps(value)]
        for name, value in told.items()
        if value not in (None, {}, [])
    ]
    return table(["", ""], rows)
