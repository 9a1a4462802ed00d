"""Fenced blocks of a Markdown page."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```\s*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Every page that people read."""
    return [
        *(ROOT / name for name in ("README.md", "README.zh-CN.md", "ARCHITECTURE.md", "CHANGELOG.md")),
        ROOT / "im_sdk/README.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    ]


def blocks_of(path: Path) -> list[Block]:
    """The blocks of a page, in order."""
    text = path.read_text(encoding="utf-8")
    page = str(path.relative_to(ROOT))
    return [
        Block(page, text.count("\n", 0, match.start()) + 1, match[2], _dedent(match[3], len(match[1])))
        for match in _FENCE.finditer(text)
    ]


def _dedent(text: str, by: int) -> str:
    return "".join(line[by:] if line[:by].isspace() or not by else line for line in text.splitlines(keepends=True))
