"""A page holds everything it needs, and texts stay texts."""

import re

import pytest

from im_bench.report.page.fill import details, fill, remarks, table


@pytest.mark.parametrize("kind", ["result", "sweep"])
def test_nothing_is_fetched_from_anywhere(kind: str) -> None:
    page = fill(kind, {"HEADLINE": "<h1>told</h1>"}, title="a <title>", data={"a": 1})
    assert re.findall(r"https?://[^\"']+", page) == ["http://www.w3.org/2000/svg"], "the name of a format, not a place"
    assert not re.search(r"<(link|img|iframe)|@import|\bsrc=|url\(", page)
    assert "<h1>told</h1>" in page
    assert "<title>a &lt;title&gt;</title>" in page


def test_a_text_within_the_data_ends_no_script() -> None:
    page = fill("result", {}, title="", data="</script><b>")
    assert page.count("</script>") == 2
    assert "<b>" not in page


def test_cells_and_remarks_are_texts() -> None:
    evil = "<b>"
    told = table(["", evil], [[evil, evil]]) + remarks([evil], [evil]) + details({evil: evil})
    assert evil not in told
    assert told.count("&lt;b&gt;") == 7


def test_what_is_empty_is_left_out() -> None:
    assert remarks([], []) == ""
    told = details({"url": None, "server": {}, "workers": 2, "pairs": 0})
    assert ("url" in told, "server" in told, "workers" in told, "pairs" in told) == (False, False, True, True)
