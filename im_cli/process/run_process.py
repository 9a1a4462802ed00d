"""Running a wired process until a signal ends it: what `im up` and `im serve` have in common."""

import asyncio
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from im_cli.data_folder import DataFolder
from im_cli.exit_code import CommandError, ExitCode
from im_cli.scheduling import be_batch

if TYPE_CHECKING:
    from im_cli.process.process import Process
    from im_cli.process.settings import ProcessSettings
    from im_cli.secret_file import Secrets

SWITCH_INTERVAL_S: Final = 0.0005
"""How long the loop may keep the interpreter from the database's thread, which takes it anew at every statement: with
Python's own 5 ms a batch of a dozen statements would wait 60 ms beside a busy loop."""

GRPC_EXPERIMENTS: Final = "-event_engine_client,-event_engine_listener"
"""What gRPC is to do without, for the processor time of a message on a stream between two processes (8 to 10 items,
500 a second, both ways): 480 to 350 µs at the client, 375 to 270 µs at the server. The engine's own threads read the
sockets and hand over to gRPC's poller, which hands over to our loop; without them the poller reads itself."""


def run_process(
    folder: DataFolder,
    settings: "ProcessSettings",
    *,
    services: Collection[str],
    announce: Path | None,
    on_ready: "Callable[[Process, float], None]",
) -> None:
    """Open, run, drain.

    Args:
        folder: the data folder, held by the caller.
        settings: the whole tree.
        services: which of the four this process runs.
        announce: when ready, the addresses are written to this file.
        on_ready: told the process and the seconds since it began, the interpreter's own start among them.

    Raises:
        CommandError: STORAGE, IN_THE_WAY or USAGE, with what to do.
    """
    gc.disable()  # hundreds of thousands of objects come to stay: looking through them again and again costs a fifth
    os.environ.setdefault("GRPC_EXPERIMENTS", GRPC_EXPERIMENTS)  # noqa: TID251 - gRPC's setting: it has no other way in
    if settings.scheduler.policy == "batch":
        be_batch()
    import uvloop  # noqa: PLC0415 - slow imports, so that a refused second start is quick

    from im_infra.observability import logs  # noqa: PLC0415

    logs.configure(settings.log.format, settings.log.level)
    secrets = _secrets(settings, folder)
    _require_tracing(settings)
    sys.setswitchinterval(SWITCH_INTERVAL_S)

    def ready(process: "Process") -> None:
        _settle_collector()
        ready_s = time.time() - psutil.Process().create_time()
        on_ready(process, ready_s)
        if announce is not None:
            _announce(announce, settings, process, ready_s)

    uvloop.run(_run(folder, settings, secrets, services, ready))


async def _run(
    folder: DataFolder,
    settings: "ProcessSettings",
    secrets: "Secrets",
    services: Collection[str],
    on_ready: "Callable[[Process], None]",
) -> None:
    from im_cli.process.process import open_process  # noqa: PLC0415 - see `run_process`
    from im_infra.sql.errors import StoreBusyError, StoreFullError, StoreUnavailableError  # noqa: PLC0415
    from im_repo.migrations.upgrade import SchemaError  # noqa: PLC0415

    signals = _Signals()
    try:
        async with open_process(settings, folder, secrets, services) as process:
            signals.opened()
            await process.run(on_ready=lambda: on_ready(process), stop=signals.stop)
    except asyncio.CancelledError:
        if not signals.stop.is_set():
            raise
    except (SchemaError, StoreUnavailableError) as error:
        raise CommandError(
            f"the database in {folder.path} cannot be used: {error}",
            code=ExitCode.STORAGE,
            advice="restore a backup into an empty folder with `im restore`, or name another one with --data-dir",
        ) from error
    except StoreFullError as error:
        raise CommandError(
            f"the disk of {folder.path} is full", code=ExitCode.STORAGE, advice="make room on it; nothing was changed"
        ) from error
    except StoreBusyError as error:
        raise CommandError(
            f"another process has locked the database in {folder.path}",
            code=ExitCode.IN_THE_WAY,
            advice="wait for it to end, or stop it",
        ) from error
    except OSError as error:
        raise CommandError(
            f"a port cannot be opened: {error.strerror or error}",
            code=ExitCode.IN_THE_WAY,
            advice="stop what holds it, or choose another one",
        ) from error


def _require_tracing(settings: "ProcessSettings") -> None:
    if not settings.tracing.endpoint:
        return
    from im_infra.observability import otlp  # noqa: PLC0415 - see `run_process`

    if not otlp.is_installed():
        raise CommandError(
            "tracing.endpoint is set, but what tells a collector of traces is not installed",
            code=ExitCode.USAGE,
            advice=f"pip install 'im-cluster[{otlp.EXTRA}]', or leave tracing.endpoint empty",
        )


def _secrets(settings: "ProcessSettings", folder: DataFolder) -> "Secrets":
    from im_cli.secret_file import load_or_make, read  # noqa: PLC0415 - see `run_process`

    if settings.secrets.file is not None:
        return read(settings.secrets.file)
    if not settings.is_distributed:
        return load_or_make(folder.secrets)
    raise CommandError(
        "secrets.file is not set: the processes of a cluster share the keys that tokens are signed with",
        code=ExitCode.USAGE,
        advice="`im keys make secrets.json` writes one; give the same to every process (IM_SECRETS__FILE)",
    )


def _settle_collector() -> None:
    """What the start made stays for good: leave it out of every later collection, and collect little at a time.

    A full collection with 8,000 idle connections takes 70 to 280 ms, after a freeze 0.01 ms. One of 100,000 young objects,
    as caches fill, takes 50 ms: ten of 10,000 are hardly felt.
    """
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 500, 1_000)


class _Signals:
    """The first signal drains, or gives up a start that is still waiting for something; the second ends at once."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self._opening = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal)

    def opened(self) -> None:
        """From here on there is something to drain."""
        self._opening = None

    def _on_signal(self) -> None:
        if self.stop.is_set():
            os._exit(ExitCode.INTERRUPTED)
        self.stop.set()
        if self._opening is not None:
            self._opening.cancel()


def _announce(path: Path, settings: "ProcessSettings", process: "Process", ready_s: float) -> None:
    """Write the file whole: whoever waits for it must not read half of it."""
    told = {
        "url": f"http://{settings.gateway.public.host}:{process.port}" if process.port else None,
        "internal_url": f"http://{settings.internal.host}:{process.internal_port}",
        "pid": os.getpid(),
        "ready_time_s": round(ready_s, 3),
    }
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(told), encoding="utf-8")
    fresh.replace(path)
