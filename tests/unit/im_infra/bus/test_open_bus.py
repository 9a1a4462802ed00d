from im_infra.bus.embedded import EmbeddedBus
from im_infra.bus.open_bus import open_bus
from im_infra.bus.settings import BusSettings
from im_infra.clock import ManualClock
from im_infra.observability.metrics import Metrics
from im_infra.sql.sqlite import SqliteDatabase


async def test_the_kind_decides(database: SqliteDatabase, clock: ManualClock) -> None:
    async with open_bus(BusSettings(kind="embedded"), database=database, clock=clock, metrics=Metrics()) as bus:
        assert isinstance(bus, EmbeddedBus)
