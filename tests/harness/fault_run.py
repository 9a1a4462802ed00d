"""A run with faults: load, and one fault after the other; then everything is read and checked."""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.harness import checkers
from tests.harness.cluster_site import ClusterSite
from tests.harness.fault import Fault, Scene
from tests.harness.fault_table import Row
from tests.harness.history import History
from tests.harness.run import Run
from tests.harness.workload import Workload, until

WARM_S: Final = 1.5
"""Of load before the fault."""
AFTER_S: Final = 2.0
"""Of load after it."""
BACK_S: Final = 60.0
DRAIN_S: Final = 60.0


@dataclass(slots=True)
class FaultRun(Run):
    """A run with faults, one after the other."""

    scenes: list[Scene]

    def missed(self) -> list[str]:
        """Every gate that was not reached, in words."""
        return [f"{scene.fault.name}: {missed}" for scene in self.scenes for missed in scene.missed()]

    def rows(self) -> list[Row]:
        """The table's lines."""
        return [self._row(scene) for scene in self.scenes]

    def _row(self, scene: Scene) -> Row:
        span = [one for one in self.history.happenings if scene.began_at <= one.at < scene.ended_at]
        counts = Counter(one.kind for one in span)
        return Row(
            fault=scene.fault.name,
            promise=scene.fault.promise,
            acked=counts["send_ok"],
            unknown=counts["send_unknown"],
            lost=len(checkers.lost(span, self.stored)),
            shown_twice=len(checkers.shown_twice(span)),
            recovery_s=round(scene.recovery_s, 1),
            measured="; ".join(scene.measured),
            gate=str(scene.fault.gate),
            missed="; ".join(scene.missed()),
            day=datetime.now(UTC).date().isoformat(),
            cores=os.cpu_count() or 1,
            load=scene.load_average,
        )


async def fault_run(
    site: ClusterSite, faults: Sequence[Fault], folder: Path, *, senders: int, rate_per_s: float, seed: int
) -> FaultRun:
    """Load, and each fault, its heal, and more load; then everything is read.

    Args:
        site: a running cluster, whole.
        faults: what is done to it.
        folder: for the history.
        senders: light senders.
        rate_per_s: messages offered a second.
        seed: of the whole run.
    """
    scenes: list[Scene] = []
    with History(folder / "history.jsonl") as history:
        async with Workload(
            site,
            folder,
            history,
            senders=senders,
            rate_per_s=rate_per_s,
            source=random.Random(seed),
            end_overlap=site.end_overlap,
        ) as load:
            for fault in faults:
                scenes.append(Scene(fault, site, load, history))
                await _play(scenes[-1])
            await load.drain(DRAIN_S)
            read = await load.read_as_everybody()
        stored = site.stored({log for logs in read for log in logs})
    return FaultRun(history, stored, read, load.follows, scenes)


async def _play(scene: Scene) -> None:
    fault, history = scene.fault, scene.history
    scene.began_at = time.monotonic()
    async with fault.before(scene):
        await asyncio.sleep(WARM_S)
        scene.broken_at = history.add("broken")
        async with fault.inject(scene):
            await asyncio.sleep(fault.hold_s)
        scene.healed_at = history.add("healed")
        await until(lambda: scene.load.all_back, BACK_S)
        await asyncio.sleep(AFTER_S)
        scene.ended_at = time.monotonic()
        scene.load_average = os.getloadavg()[0]
