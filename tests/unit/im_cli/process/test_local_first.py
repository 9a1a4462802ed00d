from pathlib import Path

from im_cli.process.local_first import LocalFirst
from im_infra.discovery.abstract import Node
from im_infra.discovery.static import StaticDiscovery
from im_infra.sql.settings import SqliteSettings
from im_infra.sql.sqlite import SqliteDatabase

OTHER = Node("logic", "logic-2", "other-boot", "127.0.0.1:9002")
MINE = Node("logic", "logic-1", "my-boot", "127.0.0.1:9001")


def registry(tmp_path: Path) -> StaticDiscovery:
    return StaticDiscovery([OTHER], SqliteDatabase(tmp_path / "unused", SqliteSettings()))


async def test_own_nodes_are_reached_without_a_socket(tmp_path: Path) -> None:
    """A process calls its own services in memory, and the others at their addresses."""
    shared = registry(tmp_path)
    discovery = LocalFirst(shared, "my-boot")
    async with discovery.register(MINE):
        addresses = {node.node_id: node.address for node in discovery.nodes("logic").values()}
        assert addresses == {"logic-1": "in-process:logic", "logic-2": "127.0.0.1:9002"}
        assert shared.nodes("logic")["logic-1"].address == "127.0.0.1:9001"
    assert list(discovery.nodes("logic")) == ["logic-2"]


async def test_an_earlier_boot_of_the_same_name_is_somebody_else(tmp_path: Path) -> None:
    """Only the boot tells: what an earlier start left in the registry is not this process."""
    discovery = LocalFirst(registry(tmp_path), "a-later-boot")
    async with discovery.register(MINE):
        assert discovery.nodes("logic")["logic-1"].address == "127.0.0.1:9001"


async def test_watchers_see_the_same(tmp_path: Path) -> None:
    discovery = LocalFirst(registry(tmp_path), "my-boot")
    views = discovery.watch("logic")
    assert set(await anext(views)) == {"logic-2"}
    async with discovery.register(MINE):
        assert (await anext(views))["logic-1"].address == "in-process:logic"
    await views.aclose()  # type: ignore[attr-defined]  # an async generator


async def test_a_view_is_made_once(tmp_path: Path) -> None:
    """It is asked for with every message: the same view of the registry gives the same object."""
    discovery = LocalFirst(registry(tmp_path), "my-boot")
    assert discovery.nodes("logic") is discovery.nodes("logic")
