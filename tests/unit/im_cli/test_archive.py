"""A backup of a database that is being written is one moment of it, and a damaged one is refused."""

import json
import sqlite3
import tarfile
from pathlib import Path

import pytest

from im_cli import archive
from im_cli.data_folder import DataFolder
from im_cli.exit_code import CommandError, ExitCode


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    folder.secrets.write_text("{}", encoding="utf-8")
    with sqlite3.connect(folder.database) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE entry (number INTEGER PRIMARY KEY, filler BLOB)")
        connection.executemany("INSERT INTO entry VALUES (?, zeroblob(4000))", [(number,) for number in range(1, 2001)])
    connection.close()
    return folder


def numbers(path: Path) -> list[int]:
    connection = sqlite3.connect(path)
    try:
        return [number for (number,) in connection.execute("SELECT number FROM entry ORDER BY number")]
    finally:
        connection.close()


def test_a_backup_taken_while_others_write_holds_whole_transactions(folder: DataFolder, tmp_path: Path) -> None:
    writer = sqlite3.connect(folder.database, isolation_level=None)
    steps: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        steps.append((done, total))
        writer.execute("BEGIN IMMEDIATE")
        first = 10_000 + 2 * len(steps)
        writer.executemany("INSERT INTO entry VALUES (?, x'00')", [(first,), (first + 1,)])
        writer.execute("COMMIT")

    try:
        archive.create(folder, tmp_path / "b.tar", version="1", progress=progress)
    finally:
        writer.close()
    assert len(steps) > 2
    restored = DataFolder(tmp_path / "restored")
    manifest = archive.extract(tmp_path / "b.tar", restored)
    found = numbers(restored.database)
    assert set(range(1, 2001)) <= set(found)
    pairs = [number for number in found if number > 10_000]
    assert [number // 2 for number in pairs[::2]] == [number // 2 for number in pairs[1::2]]
    assert manifest.version == "1"
    assert restored.database.stat().st_mode & 0o777 == 0o600


def test_an_existing_file_is_not_overwritten(folder: DataFolder, tmp_path: Path) -> None:
    (tmp_path / "b.tar").write_text("precious", encoding="ascii")
    with pytest.raises(CommandError) as refused:
        archive.create(folder, tmp_path / "b.tar", version="1", progress=lambda *_: None)
    assert refused.value.code is ExitCode.REFUSED
    assert (tmp_path / "b.tar").read_text(encoding="ascii") == "precious"


def test_a_folder_with_a_cluster_is_not_restored_over(folder: DataFolder, tmp_path: Path) -> None:
    archive.create(folder, tmp_path / "b.tar", version="1", progress=lambda *_: None)
    with pytest.raises(CommandError) as refused:
        archive.extract(tmp_path / "b.tar", folder)
    assert refused.value.code is ExitCode.REFUSED


def test_a_flipped_byte_is_found(folder: DataFolder, tmp_path: Path) -> None:
    path = tmp_path / "b.tar"
    archive.create(folder, path, version="1", progress=lambda *_: None)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(CommandError, match="damaged"):
        archive.extract(path, DataFolder(tmp_path / "restored"))
    assert not (tmp_path / "restored" / "im.sqlite3").exists()


def test_an_archive_of_a_newer_format_or_none_at_all_is_refused(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"format": 99, "version": "9", "created_time": "", "sha256": {}}), encoding="utf-8")
    with tarfile.open(tmp_path / "new.tar", "w") as tar:
        tar.add(manifest, arcname="manifest.json")
    (tmp_path / "text.tar").write_text("not a tar", encoding="ascii")
    with pytest.raises(CommandError, match="newer"):
        archive.extract(tmp_path / "new.tar", DataFolder(tmp_path / "a"))
    with pytest.raises(CommandError, match="no usable backup"):
        archive.extract(tmp_path / "text.tar", DataFolder(tmp_path / "b"))
