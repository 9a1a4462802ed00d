"""Links that fall silent, refuse, or carry one way only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tests.harness.fault import Fault, Inject, Scene
from tests.support.tcp_proxy import NO_ANSWERS, NO_REQUESTS, OPEN, REFUSING, SILENT, Passage

HOLD_S: Final = 8.0
"""Long enough that both sides notice: streams are looked after every few seconds, leases last 10 s."""


def cut(one: str, *others: str, passage: Passage = SILENT) -> Inject:
    """What passes between one process and others, engines among them; `there` is what it sends."""

    @asynccontextmanager
    async def inject(scene: Scene) -> AsyncIterator[None]:
        for other in others:
            scene.site.between(one, other, passage)
        yield
        for other in others:
            scene.site.between(one, other, OPEN)

    return inject


_BOUNDED: Final = "bounded waits, heals by itself"
_LOGICS: Final = ("logic-a", "logic-b")

LOGIC_SILENT: Final = Fault(
    "gateway and logic: silence with one of two", _BOUNDED, cut("gateway-a", "logic-a"), hold_s=HOLD_S
)
LOGIC_REFUSED: Final = Fault(
    "gateway and logic: reset, with one of two",
    _BOUNDED,
    cut("gateway-a", "logic-a", passage=REFUSING),
    hold_s=HOLD_S,
)
ALL_LOGICS_SILENT: Final = Fault(
    "gateway and logic: silence with all of them", _BOUNDED, cut("gateway-a", *_LOGICS), hold_s=HOLD_S
)
LOGIC_DEAF: Final = Fault(
    "gateway and logic: only answers pass", _BOUNDED, cut("gateway-a", *_LOGICS, passage=NO_REQUESTS), hold_s=HOLD_S
)
LOGIC_DUMB: Final = Fault(
    "gateway and logic: only requests pass", _BOUNDED, cut("gateway-a", *_LOGICS, passage=NO_ANSWERS), hold_s=HOLD_S
)
REDIS_SILENT: Final = Fault("gateway and Redis: silence", _BOUNDED, cut("gateway-a", "redis"), hold_s=HOLD_S)
REDIS_ONE_WAY: Final = Fault(
    "gateway and Redis: only requests pass", _BOUNDED, cut("gateway-a", "redis", passage=NO_ANSWERS), hold_s=HOLD_S
)
ETCD_SILENT: Final = Fault(
    "gateway and etcd: silence for 30 s",
    "it stays in service, its clients are served",
    cut("gateway-a", "etcd"),
    hold_s=30,
)
ETCD_ONE_WAY: Final = Fault(
    "gateway and etcd: only requests pass for 30 s",
    "it stays in service, its clients are served",
    cut("gateway-a", "etcd", passage=NO_ANSWERS),
    hold_s=30,
)
