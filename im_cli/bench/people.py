"""The accounts of a run: those of a file, fresh ones for what is missing."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from im_cli.exit_code import CommandError, ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from im_bench.accounts import Account
    from im_bench.adapters.abstract import Endpoint

SPARE_S = 120.0
"""A token that ends within the run's length and so much more is renewed before."""


class PeopleSource:
    """Finds the accounts for runs against one server.

    Args:
        endpoint: the server.
        users_file: where they are kept; None: they are made for this run and forgotten.
        console: shows the progress.
    """

    def __init__(self, endpoint: "Endpoint", users_file: Path | None, console: "Console") -> None:
        from im_bench.accounts import AccountApi, UsersFile  # noqa: PLC0415 - the load tester's imports are slow

        self._endpoint = endpoint
        self._api = AccountApi(endpoint.url, verify=endpoint.tls())
        self._file = UsersFile(users_file) if users_file is not None else None
        self._known: list[Account] | None = None
        self._console = console

    def take(self, kind: str, count: int, *, for_s: float) -> "list[Account]":
        """So many accounts of a kind, with tokens that last.

        Raises:
            CommandError: they cannot be had.
        """
        from im_bench.accounts import PreparationError  # noqa: PLC0415 - as above

        try:
            return self._take(kind, count, for_s)
        except PreparationError as error:
            raise CommandError(
                str(error), code=ExitCode.UNREACHABLE, advice="its limits.exempt_networks must cover this machine"
            ) from error

    def _take(self, kind: str, count: int, for_s: float) -> "list[Account]":
        from im_bench.accounts import stale  # noqa: PLC0415 - as above

        if self._known is None:
            self._known = self._file.load(self._endpoint.url) if self._file is not None else []
        chosen = [account for account in self._known if account.kind == kind][:count]
        changed = False
        if old := stale(chosen, for_s=for_s + SPARE_S):
            fresh = self._shown("renewing tokens", len(old), lambda told: self._api.refresh(old, progress=told))
            renewed = {account.user_id: account for account in fresh}
            self._known = [renewed.get(account.user_id, account) for account in self._known]
            chosen = [renewed.get(account.user_id, account) for account in chosen]
            changed = True
        if (missing := count - len(chosen)) > 0:
            made = self._shown(
                f"making {kind} accounts", missing, lambda told: self._api.make(kind, missing, progress=told)
            )
            self._known, chosen, changed = [*self._known, *made], [*chosen, *made], True
        if changed and self._file is not None:
            self._file.save(self._endpoint.url, self._known)
        return chosen

    def _shown(
        self,
        label: str,
        total: int,
        work: "Callable[[Callable[[int], None]], Coroutine[Any, Any, list[Account]]]",
    ) -> "list[Account]":
        """Do it behind a progress bar."""
        if not self._console.is_terminal:
            self._console.print(f"{label}: {total:,}", highlight=False)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self._console, transient=True) as progress:
            task = progress.add_task(label, total=total)
            return asyncio.run(work(lambda done: progress.update(task, completed=done)))
