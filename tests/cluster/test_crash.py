"""The embedded cluster is killed under load, again and again: what was acked stays, once, in order, and is shown once."""

import random
from pathlib import Path

import pytest

from im_infra.sql.settings import SqliteSettings
from im_infra.sql.sqlite import open_sqlite
from tests.harness import figures
from tests.harness.crash import CrashRun, crash_run

SENDERS = 24
RATE_PER_S = 640.0


async def run(folder: Path, *, kills: int, load_s: tuple[float, float], patience_s: float) -> CrashRun:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}, history in {folder}")  # noqa: T201 - to do a red run again
    done = await crash_run(
        folder,
        kills=kills,
        senders=SENDERS,
        rate_per_s=RATE_PER_S,
        load_s=load_s,
        patience_s=patience_s,
        seed=seed,
    )
    print(done.report())  # noqa: T201 - the figures of `make faults`
    return done


@pytest.mark.timeout(180)
async def test_four_kills_under_load_lose_nothing_and_show_nothing_twice(tmp_path: Path) -> None:
    done = await run(tmp_path, kills=4, load_s=(0.8, 1.6), patience_s=1.0)
    assert done.violations() == []
    assert done.history.count("send_ok") >= 1_500
    assert figures.kills_with_unknown(done.history.happenings) >= 1


@pytest.mark.faults
@pytest.mark.timeout(1200)
async def test_twenty_kills_under_load_lose_nothing_and_show_nothing_twice(tmp_path: Path) -> None:
    done = await run(tmp_path, kills=20, load_s=(1.0, 3.0), patience_s=30.0)
    assert done.violations() == []
    assert done.history.count("broken") == 20
    assert max(done.back_s) < 30
    assert done.history.count("send_ok") >= 20_000
    assert figures.kills_with_unknown(done.history.happenings) >= 10


async def test_the_live_writer_keeps_a_log_and_syncs_each_commit(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / "im.sqlite3", SqliteSettings()) as database:
        mode = await database.write(lambda c: c.exec_driver_sql("PRAGMA journal_mode").scalar_one())
        synchronous = await database.write(lambda c: c.exec_driver_sql("PRAGMA synchronous").scalar_one())
        assert (mode, synchronous) == ("wal", 2)
