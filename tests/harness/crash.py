"""A crash run: load, SIGKILL, restart, again and again; then everything that it left is read and checked."""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.harness import figures
from tests.harness.history import History
from tests.harness.run import Run
from tests.harness.stored import from_database
from tests.harness.supervisor import Supervisor
from tests.harness.workload import Workload, until

BACK_S: Final = 30.0
"""Within this after a restart every client is connected again."""
DRAIN_S: Final = 60.0
UNDER_LOAD: Final = 20
"""A kill before so many acks would hit a cluster that does nothing yet, on a slow machine."""


@dataclass(slots=True)
class CrashRun(Run):
    """A run with kills; what was stored is read after the last one, and what members read before it."""

    back_s: list[float]
    """Seconds from each restart until every client was connected, or until the run went on."""

    def report(self) -> str:
        """The run's figures, for a person."""
        history = self.history
        delays = sorted(figures.delays(history.happenings, "idle"))
        recovery = figures.recovery_times(history.happenings)
        up_s = figures.up_s(history.happenings)
        return (
            f"{history.count('broken')} kills, {history.count('send_ok')} acked in {up_s:.0f} s up"
            f" ({history.count('send_ok') / up_s:.0f}/s), {history.count('send_unknown')} outcomes unknown after"
            f" {figures.kills_with_unknown(history.happenings)} kills, {history.count('shown')} shown;"
            f" first ack after a restart {max(recovery):.2f} s at most, everybody back {max(self.back_s):.1f} s at most;"
            f" an idle receiver's delay p50 {delays[len(delays) // 2] * 1000:.0f} ms, max {delays[-1]:.1f} s"
        )


async def crash_run(
    folder: Path,
    *,
    kills: int,
    senders: int,
    rate_per_s: float,
    load_s: tuple[float, float],
    patience_s: float,
    seed: int,
    program: Sequence[str] = ("im_cli.main",),
) -> CrashRun:
    """Run it.

    Args:
        folder: for data, logs and the history.
        kills: how often the process is killed under load.
        senders: light senders.
        rate_per_s: messages offered a second.
        load_s: seconds of load before a kill, at random between these.
        patience_s: seconds to wait after a restart, the last one excepted, until every client is connected.
        seed: of the whole run.
        program: what is killed.
    """
    source = random.Random(seed)
    cluster = Supervisor(folder, program=program)
    back_s: list[float] = []
    try:
        await cluster.start()
        with History(folder / "history.jsonl") as history:
            async with Workload(
                cluster, folder, history, senders=senders, rate_per_s=rate_per_s, source=source
            ) as load:
                for left in reversed(range(kills)):
                    acked = history.count("send_ok")
                    await asyncio.sleep(source.uniform(*load_s))
                    await until(lambda acked=acked: history.count("send_ok") >= acked + UNDER_LOAD, BACK_S)  # type: ignore[misc]
                    if left % 2:  # every other kill hits messages under way, the others whatever there is
                        await until(lambda: load.under_way >= 3, BACK_S)
                    cluster.kill()
                    history.add("broken")
                    if not left:
                        await load.end_keeper()
                    await cluster.start()
                    history.add("healed")
                    ready = time.monotonic()
                    if not left:
                        await load.start_keeper()
                    with suppress(TimeoutError) if left else nullcontext():
                        await until(lambda: load.all_back, patience_s if left else BACK_S)
                    back_s.append(time.monotonic() - ready)
                await load.drain(DRAIN_S)
                read = await load.read_as_everybody()
                cluster.kill()
            return CrashRun(history, from_database(cluster.database), read, load.follows, back_s)
    finally:
        cluster.kill()
