"""Following the file with the secrets."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from im_cli.process.key_watch import KeyWatch, token_keys
from im_cli.secret_file import SIGNS_AFTER, Secrets, save

NOW = datetime(2026, 11, 21, tzinfo=UTC)
KEEP = timedelta(hours=1)


@pytest.fixture
def first() -> Secrets:
    return Secrets.make(NOW - KEEP)


@pytest.fixture
def path(tmp_path: Path, first: Secrets) -> Path:
    save(tmp_path / "secrets.json", first)
    return tmp_path / "secrets.json"


@pytest.fixture
def watched(path: Path, first: Secrets) -> Any:
    keys = token_keys(first, NOW)
    return keys, KeyWatch(path, first, keys)


async def test_a_rotated_key_verifies_at_once_and_signs_later(watched: Any, path: Path, first: Secrets) -> None:
    keys, watch = watched
    rotated = first.rotated(NOW, keep_for=KEEP)
    save(path, rotated)
    await watch.look(NOW)
    assert (set(keys), keys.active) == ({first.newest.key_id, rotated.newest.key_id}, first.newest.key_id)
    await watch.look(NOW + SIGNS_AFTER)
    assert keys.active == rotated.newest.key_id


async def test_a_file_that_cannot_be_read_changes_nothing_and_is_told_once(
    watched: Any, path: Path, first: Secrets
) -> None:
    keys, watch = watched
    path.write_text("{", encoding="utf-8")
    with structlog.testing.capture_logs() as told:
        await watch.look(NOW)
        await watch.look(NOW)
    assert keys.active == first.newest.key_id
    assert [line["event"] for line in told] == ["token keys not followed"]
    save(path, first.rotated(NOW, keep_for=KEEP))
    await watch.look(NOW)
    assert len(keys) == 2


async def test_another_refresh_secret_is_told(watched: Any, path: Path, first: Secrets) -> None:
    _, watch = watched
    save(path, replace(first.rotated(NOW, keep_for=KEEP), refresh_secret="another-one-" * 4))
    with structlog.testing.capture_logs() as told:
        await watch.look(NOW)
    assert [line["event"] for line in told] == ["token keys changed", "token keys not followed"]
