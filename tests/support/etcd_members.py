"""An etcd of three members, each of which may be killed, paused and started again."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from im_cli.engines.engine import LOOPBACK, Engine, free_port
from im_cli.engines.etcd import REQUIREMENTS, etcd
from tests.support.engines import require

_COUNT: Final = 3


@contextmanager
def etcd_members(folder: Path) -> Iterator[Sequence[Engine]]:
    """All three, running and agreed on a leader; anybody may do everything."""
    require(REQUIREMENTS)
    peers = {f"etcd-{number}": free_port() for number in range(1, _COUNT + 1)}
    everybody = ",".join(f"{name}=http://{LOOPBACK}:{port}" for name, port in peers.items())
    members = [
        etcd(
            folder / name,
            None,
            peer_port=port,
            # the last of each option counts
            options=(
                f"--name={name}",
                f"--initial-cluster={everybody}",
                "--heartbeat-interval=50",
                "--election-timeout=500",
            ),
        )
        for name, port in peers.items()
    ]
    with ExitStack() as stack, ThreadPoolExecutor(_COUNT) as pool:
        for member in members:
            stack.callback(member.kill)
        list(pool.map(Engine.start, members))  # none is ready before two are there
        yield members
