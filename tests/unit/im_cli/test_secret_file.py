"""Secrets are made once, kept private, and rotated without logging anybody out."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from im_cli.exit_code import CommandError
from im_cli.secret_file import SIGNS_AFTER, Secrets, load_or_make, save

NOW = datetime(2026, 11, 21, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_the_first_start_makes_them_and_the_next_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = load_or_make(path)
    assert load_or_make(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(made.newest.secret) >= 43


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


def test_a_new_key_verifies_at_once_and_signs_when_everybody_knows_it() -> None:
    first = Secrets.make(NOW)
    second = first.rotated(NOW + HOUR, keep_for=HOUR)
    assert first.newest in second.signing_keys
    assert second.signing(NOW + HOUR + SIGNS_AFTER / 2) == first.newest
    assert second.signing(NOW + HOUR + SIGNS_AFTER) == second.newest != first.newest


def test_the_only_key_signs_at_once() -> None:
    first = Secrets.make(NOW)
    assert first.signing(NOW) == first.newest
    alone = first.rotated(NOW + HOUR, keep_for=0 * HOUR)
    assert alone.signing(NOW + HOUR) == alone.newest != first.newest


def test_a_key_goes_once_its_successor_is_older_than_any_token_of_it() -> None:
    first = Secrets.make(NOW)
    third = first.rotated(NOW + HOUR, keep_for=HOUR).rotated(NOW + 3 * HOUR, keep_for=HOUR)
    assert first.newest not in third.signing_keys
    assert len(third.signing_keys) == 2


def test_saving_over_a_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = load_or_make(path)
    save(path, made.rotated(NOW, keep_for=HOUR))
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
