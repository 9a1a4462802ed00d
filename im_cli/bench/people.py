"""The accounts of a run: those of a file, fresh ones for what is missing."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from im_cli.bench.advice import advice_on
from im_cli.bench.milestones import Milestones
from im_cli.bench.output_file import problem_with
from im_cli.exit_code import CommandError, ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from im_bench.accounts import Account
    from im_bench.adapters.abstract import Endpoint

SPARE_S = 120.0
"""A token that ends within the run's length and so much more is renewed before."""


def problem_with_users(file: Path, url: str | None) -> str | None:
    """Why the accounts of a run cannot be those of this file; None when they can.

    Args:
        file: where they are or will be kept.
        url: of the server; None: one is started for the run, so that no file can have its accounts yet.
    """
    from im_bench.accounts import PreparationError, UsersFile  # noqa: PLC0415 - the load tester's imports are slow

    if file.is_dir() or not file.exists():
        return problem_with(file)
    try:
        UsersFile(file).load(url)
    except PreparationError as error:
        return str(error)
    return None


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
        self._known: dict[int, Account] | None = None
        """By user id, in the order of the file."""
        self._had = 0
        """Accounts that the server gave, new or anew, since this was called."""
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
            advice = [advice_on(error.trouble, self._endpoint.url)]
            if self._had and self._file is not None:
                advice.append(
                    f"{self._had:,} accounts are kept in {self._file.path}, so that the next run goes on from there"
                )
            told = "; ".join(each for each in advice if each)
            raise CommandError(str(error), code=ExitCode.UNREACHABLE, advice=told) from error

    def _take(self, kind: str, count: int, for_s: float) -> "list[Account]":
        from im_bench.accounts import stale  # noqa: PLC0415 - as above

        if self._known is None:
            loaded = self._file.load(self._endpoint.url) if self._file is not None else []
            self._known = {account.user_id: account for account in loaded}
        known, self._had = self._known, 0
        try:
            if old := stale(_some(known, kind, count), for_s=for_s + SPARE_S):
                self._shown("renewing tokens", len(old), lambda told: self._api.refresh(old, progress=told))
            if (missing := count - len(_some(known, kind, count))) > 0:
                self._shown(
                    f"making {kind} accounts", missing, lambda told: self._api.make(kind, missing, progress=told)
                )
        finally:  # also after a failure or Ctrl-C: old refresh tokens are used up, and accounts stay on the server
            if self._had and self._file is not None:
                self._file.save(self._endpoint.url, list(known.values()))
        return _some(known, kind, count)

    def _shown(
        self,
        label: str,
        total: int,
        work: "Callable[[Callable[[Account], None]], Coroutine[Any, Any, list[Account]]]",
    ) -> None:
        """Do it behind a progress bar, and remember each account as it comes."""
        if not self._console.is_terminal:
            self._console.print(f"{label}: {total:,}", highlight=False)
        milestones = Milestones(self._console, label)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self._console, transient=True) as progress:
            task = progress.add_task(label, total=total)
            before = self._had

            def had(account: "Account") -> None:
                assert self._known is not None
                self._known[account.user_id] = account
                self._had += 1
                progress.advance(task)
                milestones.reached(self._had - before, total)

            asyncio.run(work(had))


def _some(known: "dict[int, Account]", kind: str, count: int) -> "list[Account]":
    """At most so many of a kind, always the same."""
    return [account for account in known.values() if account.kind == kind][:count]
