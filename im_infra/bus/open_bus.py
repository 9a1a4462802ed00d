"""The one place that chooses a bus."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from im_infra.bus.abstract import Bus
from im_infra.bus.embedded import EmbeddedBus
from im_infra.bus.settings import BusSettings
from im_infra.clock import Clock
from im_infra.observability.metrics import Metrics
from im_infra.sql.abstract import Database


@asynccontextmanager
async def open_bus(
    settings: BusSettings, *, database: Database | None, clock: Clock, metrics: Metrics, node_id: str = ""
) -> AsyncIterator[Bus]:
    """The bus of that kind, open while the context is; close what consumes before it.

    Args:
        settings: which, and how patient.
        database: where the embedded one keeps records; None: there is none, and the kind has its own place.
        clock: wall time, for the records.
        metrics: where records are counted.
        node_id: this process's lasting name, by which a restarted consumer finds its share again; empty: it has none.

    Raises:
        OSError: a certificate cannot be read.
    """
    match settings.kind:
        case "embedded":
            assert database is not None, "the embedded bus keeps records in the database"
            bus = EmbeddedBus(database, clock, metrics=metrics, settings=settings)
            try:
                yield bus
            finally:
                await bus.close()
        case "kafka":
            from im_infra.bus.kafka.bus import KafkaBus  # noqa: PLC0415 - slow imports that an embedded cluster never needs

            async with KafkaBus(settings, clock=clock, metrics=metrics, node_id=node_id) as kafka:
                yield kafka
