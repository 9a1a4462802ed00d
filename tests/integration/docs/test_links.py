"""Links between pages resolve: to files that are there, and to headings in them."""

import re
from pathlib import Path

import pytest

from tests.docs_support.blocks import ROOT, pages

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_MAKE = re.compile(r"\bmake [a-z-]+")
_COMMAND = re.compile(r"`(?:im [a-z-]+|[A-Z]+=\S+ make [a-z]+)`")
_FENCES = re.compile(r"^ *```.*?^ *```\s*$", re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """A page's headings as links name them."""
    text = _FENCES.sub("", path.read_text(encoding="utf-8"))
    found = set()
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        kept = re.sub(r"[^\w\- ]", "", heading.lower())
        found.add(kept.strip().replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in _LINK.findall(_FENCES.sub("", page.read_text(encoding="utf-8"))):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_the_chinese_readme_has_what_the_english_one_has() -> None:
    """Links, make targets and commands, as often in each: a sentence that was not translated lacks its own."""
    told = []
    for name, other in (("README.md", "README.zh-CN.md"), ("README.zh-CN.md", "README.md")):
        text = (ROOT / name).read_text(encoding="utf-8")
        links = sorted(link for link in _LINK.findall(text) if link != other)
        told.append({"links": links, "make": sorted(_MAKE.findall(text)), "im": sorted(_COMMAND.findall(text))})
    assert told[0] == told[1]
