"""What cannot be written is found before a run, and looking leaves nothing behind."""

import os
from pathlib import Path

import pytest

from im_cli.bench.output_file import problem_with, problem_with_folder


@pytest.mark.parametrize("beside", [False, True])
def test_a_file_that_can_be_written_is_left_as_it_was(tmp_path: Path, *, beside: bool) -> None:
    there = tmp_path / "there.json"
    there.write_text("kept", encoding="utf-8")
    assert problem_with(there, beside=beside) is None
    assert problem_with(tmp_path / "new.json", beside=beside) is None
    assert (list(tmp_path.iterdir()), there.read_text(encoding="utf-8")) == ([there], "kept")


@pytest.mark.parametrize("beside", [False, True])
def test_what_cannot_be_written_is_said(tmp_path: Path, *, beside: bool) -> None:
    told = (
        (tmp_path, f"{tmp_path} is a folder"),
        (tmp_path / "no" / "x.json", f"there is no folder {tmp_path / 'no'}"),
        (Path("/proc/x.json"), "/proc/x.json cannot be written"),
    )
    for file, said in told:
        assert said in (problem_with(file, beside=beside) or ""), file


def test_a_pipe_is_written_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert problem_with(pipe) is None
    assert "no file that can be replaced" in (problem_with(pipe, beside=True) or "")


def test_a_folder_is_made_or_the_reason_said(tmp_path: Path) -> None:
    assert problem_with_folder(tmp_path / "a" / "b") is None
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").touch()
    assert "File exists" in (problem_with_folder(tmp_path / "file") or "")
    assert "/proc/x is no folder" in (problem_with_folder(Path("/proc/x")) or "")
