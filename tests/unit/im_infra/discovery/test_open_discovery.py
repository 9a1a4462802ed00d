import pytest

from im_infra.clock import ManualClock
from im_infra.discovery.abstract import Node
from im_infra.discovery.open_discovery import open_discovery, parse_node
from im_infra.discovery.settings import DiscoverySettings
from im_infra.observability.metrics import Metrics
from im_infra.sql.sqlite import SqliteDatabase


async def test_the_static_list_comes_from_the_settings(database: SqliteDatabase, clock: ManualClock) -> None:
    settings = DiscoverySettings(nodes=("logic/logic-1@10.0.0.1:9000",))
    async with open_discovery(settings, database=database, clock=clock, metrics=Metrics()) as discovery:
        assert discovery.nodes("logic") == {"logic-1": Node("logic", "logic-1", "", "10.0.0.1:9000")}


@pytest.mark.parametrize("entry", ["logic", "logic/l1", "logic@h:1", "/l1@h:1", "logic/@h:1", "logic/l1@host"])
def test_what_is_no_node_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="service/node_id@host:port"):
        parse_node(entry)
