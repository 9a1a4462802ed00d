"""Secrets are made once, kept private, and rotated without logging anybody out."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from im_cli.exit_code import CommandError
from im_cli.secret_file import Secrets, load_or_make, save

NOW = datetime(2026, 11, 21, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_the_first_start_makes_them_and_the_next_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = load_or_make(path)
    assert load_or_make(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(made.active.secret) >= 43


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    load_or_make(path)
    path.chmod(0o644)
    with pytest.raises(CommandError, match="others may read"):
        load_or_make(path)


def test_a_damaged_file_is_refused_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text("{", encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(CommandError, match="cannot be read"):
        load_or_make(path)
    assert path.read_text(encoding="utf-8") == "{"


def test_rotation_signs_with_a_new_key_and_still_verifies_the_old_one() -> None:
    first = Secrets.make(NOW)
    second = first.rotated(NOW + HOUR, keep_for=HOUR)
    assert second.active != first.active
    assert first.active in second.signing_keys


def test_a_key_goes_once_its_successor_is_older_than_any_token_of_it() -> None:
    first = Secrets.make(NOW)
    third = first.rotated(NOW + HOUR, keep_for=HOUR).rotated(NOW + 3 * HOUR, keep_for=HOUR)
    assert first.active not in third.signing_keys
    assert len(third.signing_keys) == 2


def test_saving_over_a_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = load_or_make(path)
    save(path, made.rotated(NOW, keep_for=HOUR))
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
