"""A data folder belongs to one process."""

from pathlib import Path

import pytest

from im_cli.data_folder import DataFolder
from im_cli.exit_code import CommandError, ExitCode


def test_a_second_process_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    with folder.locked(), pytest.raises(CommandError, match=r"pid \d+") as refused, DataFolder(folder.path).locked():
        pass
    assert refused.value.code is ExitCode.IN_THE_WAY


def test_the_folder_is_free_again_afterwards(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    for _ in range(2):
        with folder.locked():
            assert (folder.path / "lock").read_text(encoding="ascii").isdigit()


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    with pytest.raises(CommandError) as refused:
        DataFolder(tmp_path / "file" / "data").create()
    assert refused.value.code is ExitCode.STORAGE


def test_commands_on_a_cluster_that_never_was_say_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no cluster"):
        DataFolder(tmp_path).require_database()
