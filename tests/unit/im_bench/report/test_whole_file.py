"""A file is there whole or not at all."""

from pathlib import Path

import pytest

from im_bench.report.whole_file import write_whole


def test_a_folder_is_made_and_nothing_half_written_lies_about(tmp_path: Path) -> None:
    file = tmp_path / "new" / "a.json"
    write_whole(file, "one")
    write_whole(file, "two")
    assert [(each.name, each.read_text(encoding="utf-8")) for each in file.parent.iterdir()] == [("a.json", "two")]


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    write_whole(file, "one")
    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "\ud800")
    assert file.read_text(encoding="utf-8") == "one"
