"""What a person sees while a run takes place."""

from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from im_bench.report.record import Row
from im_bench.run.coordinator import Listener
from im_bench.scenarios.abstract import Step
from im_cli.bench.milestones import Milestones

TICKS_A_SECOND: Final = 4


class Display:
    """One line with the step and its progress, one with the last second's figures; a context manager.

    Args:
        console: where.
        name: the scenario's.
        steps: how many there are.
    """

    def __init__(self, console: Console, name: str, *, steps: int) -> None:
        self._console = console
        self._name = name
        self._steps = steps
        self._taken = 0
        self._progress = Progress(
            TextColumn("[bold]{task.fields[name]}[/] {task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("{task.fields[figures]}"),
            console=console,
            transient=True,
            refresh_per_second=TICKS_A_SECOND,
            disable=not console.is_terminal,
        )
        self._task: TaskID = self._progress.add_task("starting", total=None, name=name, figures="")
        self._rows = 0
        self._by_time = False
        self._milestones = Milestones(console, name)

    def __enter__(self) -> Self:
        """Show it."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take it away."""
        self._progress.stop()

    def listener(self) -> Listener:
        """What a coordinator tells."""
        return Listener(self._on_step, self._on_progress, self._on_row)

    def _on_step(self, step: Step, duration_s: float | None) -> None:
        self._taken += 1
        self._rows, self._by_time = 0, duration_s is not None
        description = f"{self._taken}/{self._steps} {step.label}"
        self._milestones = Milestones(self._console, f"{self._name} {description}")
        # `reset` forgets the fields that it is not given.
        self._progress.reset(
            self._task, description=description, total=duration_s, completed=0, name=self._name, figures=""
        )
        if not self._console.is_terminal:
            self._console.print(f"{self._name} {description}", highlight=False)

    def _on_progress(self, done: int, total: int) -> None:
        if not self._by_time:
            self._progress.update(self._task, completed=done, total=total)
            self._milestones.reached(done, total)

    def _on_row(self, row: Row) -> None:
        self._rows += 1
        if self._by_time:
            self._progress.update(self._task, completed=self._rows)
        self._progress.update(self._task, figures=figures(row))


def figures(row: Row) -> str:
    """A second's figures in a line."""
    told = []
    if row.offered_per_s:
        told.append(f"{row.offered_per_s:,.0f} offered/s")
    if row.acked_per_s:
        told.append(f"{row.acked_per_s:,.0f} acked/s")
    if row.delivered_per_s:
        told.append(f"{row.delivered_per_s:,.0f} delivered/s")
    told += [
        f"{name} p99 {summary['p99']:,.1f} ms"
        for name, summary in row.latency_ms.items()
        if name in {"delivery", "connect"} and summary["p99"] is not None
    ]
    told.append(f"{row.connections:,} connected")
    told.append(f"generator {max(row.generator_cpu, default=0.0):.0%}")
    if not row.measured and row.step == "drive":
        told.append("[dim]warm-up[/]")
    return " · ".join(told)
