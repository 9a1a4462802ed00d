"""A backup of an embedded cluster: one tar file with the database, the secrets and a manifest.

The database is copied page by page while the cluster runs (SQLite's online backup): the copy is one moment of it.
"""

import hashlib
import json
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from im_cli.data_folder import DATABASE_NAME, SECRETS_NAME, DataFolder
from im_cli.exit_code import CommandError, ExitCode

MANIFEST_NAME: Final = "manifest.json"
FORMAT: Final = 1
PAGES_A_STEP: Final = 256
"""1 MiB of 4 KiB pages between two looks at the progress; writers wait for a step at most."""

Progress = Callable[[int, int], None]
"""Told (done, total) after each step."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive holds."""

    format: int
    version: str
    created_time: str
    sha256: dict[str, str]


def create(folder: DataFolder, target: Path, *, version: str, progress: Progress) -> Manifest:
    """Write a backup of `folder` to `target`, whole or not at all; mode 0600, since it holds secrets.

    Raises:
        CommandError: STORAGE when the database cannot be copied or the file not written; REFUSED when it exists.
    """
    if target.exists():
        raise CommandError(f"{target} exists", code=ExitCode.REFUSED, advice="name another file")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".im-backup-") as raw:
            scratch = Path(raw)
            _copy_database(folder.database, scratch / DATABASE_NAME, progress)
            (scratch / SECRETS_NAME).write_bytes(folder.secrets.read_bytes())
            names = (DATABASE_NAME, SECRETS_NAME)
            manifest = Manifest(
                format=FORMAT,
                version=version,
                created_time=datetime.now(UTC).isoformat(timespec="seconds"),
                sha256={name: _sha256(scratch / name) for name in names},
            )
            (scratch / MANIFEST_NAME).write_text(json.dumps(asdict(manifest), indent=2), encoding="utf-8")
            _write_tar(scratch, target, (MANIFEST_NAME, *names))
    except (OSError, sqlite3.Error) as error:
        raise CommandError(
            f"the backup failed: {error}", code=ExitCode.STORAGE, advice="nothing was written"
        ) from error
    return manifest


def extract(source: Path, target: DataFolder) -> Manifest:
    """Unpack the archive `source` into the folder `target`, checking every file.

    Raises:
        CommandError: REFUSED when `target` already holds a cluster; STORAGE when the archive is damaged, from a newer
            version, or cannot be written.
    """
    if target.database.exists():
        raise CommandError(
            f"there is a cluster in {target.path} already",
            code=ExitCode.REFUSED,
            advice="name an empty folder with --data-dir, or move the old one away",
        )
    target.create()
    try:
        with tarfile.open(source) as tar:
            manifest = _read_manifest(tar, source)
            for name, expected in manifest.sha256.items():
                _extract_checked(tar, name, expected, target.path)
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        raise CommandError(f"{source} is no usable backup: {error}", code=ExitCode.STORAGE) from error
    return manifest


def _read_manifest(tar: tarfile.TarFile, source: Path) -> Manifest:
    file = tar.extractfile(MANIFEST_NAME)
    if file is None:
        raise KeyError(MANIFEST_NAME)
    manifest = Manifest(**json.loads(file.read()))
    if manifest.format > FORMAT:
        raise CommandError(
            f"{source} was written by im {manifest.version}, which is newer than this one",
            code=ExitCode.STORAGE,
            advice="install that version",
        )
    if set(manifest.sha256) != {DATABASE_NAME, SECRETS_NAME}:
        raise ValueError("its manifest names other files than a backup has")
    return manifest


def _extract_checked(tar: tarfile.TarFile, name: str, expected: str, folder: Path) -> None:
    """Unpack one file under a name of our own, never under one the archive chose."""
    file = tar.extractfile(name)
    if file is None:
        raise KeyError(name)
    fresh = folder / f".{name}.new"
    digest = hashlib.sha256()
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    if digest.hexdigest() != expected:
        fresh.unlink()
        raise ValueError(f"{name} is damaged")
    fresh.replace(folder / name)


def _copy_database(source: Path, target: Path, progress: Progress) -> None:
    """Copy one snapshot: the open read transaction keeps it, or every commit would start the copy anew."""
    reader = sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    writer = sqlite3.connect(target)
    try:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        reader.backup(
            writer,
            pages=PAGES_A_STEP,
            progress=lambda _status, remaining, total: progress(total - remaining, total),
            sleep=0.005,
        )
        (verdict,) = writer.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(f"the copy is damaged: {verdict}")
    finally:
        reader.close()
        writer.close()


def _write_tar(scratch: Path, target: Path, names: tuple[str, ...]) -> None:
    fresh = scratch / "archive.tar"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w") as tar:
            for name in names:
                tar.add(scratch / name, arcname=name, filter=_as_owner_only)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(target)


def _as_owner_only(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mode, member.uid, member.gid, member.uname, member.gname = 0o600, 0, 0, "", ""
    return member


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
