"""What this machine gives a process."""

import resource
import socket
from pathlib import Path

import pytest

from im_cli.doctor import machine
from im_infra.finding import Grade


def test_a_port_is_free_or_taken_or_taken_by_us() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        assert machine.port("public port", "127.0.0.1", number, running=False).grade is Grade.BAD
        assert machine.port("public port", "127.0.0.1", number, running=True).grade is Grade.GOOD
    assert machine.port("public port", "127.0.0.1", number, running=False).grade is Grade.GOOD


def test_an_internal_port_for_everybody_is_told() -> None:
    assert machine.port("internal port", "0.0.0.0", 0, running=False).grade is Grade.WARNING
    assert machine.port("public port", "0.0.0.0", 0, running=False).grade is Grade.GOOD


@pytest.mark.parametrize(("files", "grade"), [(machine.WANTED_FILES, Grade.GOOD), (1_024, Grade.WARNING)])
def test_the_file_limit_is_one_for_each_connection(monkeypatch: pytest.MonkeyPatch, files: int, grade: Grade) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (files, files))
    assert machine.file_limit().grade is grade


@pytest.mark.parametrize(("free", "grade"), [(machine.FREE_BYTES, Grade.GOOD), (1, Grade.WARNING)])
def test_the_disk_is_that_of_the_folder_to_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, grade: Grade
) -> None:
    class Usage:
        def __init__(self) -> None:
            self.free = free

    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _path: Usage())
    finding = machine.disk(tmp_path / "not" / "yet")
    assert (finding.grade, str(tmp_path) in finding.told) == (grade, True)


def test_the_interpreter_is_new_enough() -> None:
    assert machine.python().grade is Grade.GOOD
