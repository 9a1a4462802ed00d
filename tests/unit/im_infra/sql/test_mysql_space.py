"""What is refused and given up while the server waits for space, without a server; with one see `test_mysql.py`."""

import asyncio

import pytest

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.sql import mysql_space
from im_infra.sql.errors import StoreFullError
from im_infra.sql.mysql_space import SpaceWatch


class Server:
    """Held or not, and how often it was looked at."""

    def __init__(self) -> None:
        self.full = False
        self.away = False
        self.looks = 0

    async def look(self) -> bool:
        self.looks += 1
        if self.away:
            raise ImError(error_table.UNAVAILABLE)
        return self.full


class Write:
    """One under way; `ended` is set when it is given up."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    def give_up(self, why: str) -> None:
        assert "space" in why
        self.ended.set()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mysql_space, "SLOW_S", 0.02)
    monkeypatch.setattr(mysql_space, "_LOOK_S", 0.02)


async def refuses(watch: SpaceWatch) -> bool:
    try:
        with watch.over(Write()):
            return False
    except StoreFullError:
        return True


async def until(condition: bool, watch: SpaceWatch) -> None:
    async with asyncio.timeout(5):
        while await refuses(watch) is not condition:
            await asyncio.sleep(0.005)


async def test_writes_in_time_are_not_looked_at() -> None:
    server = Server()
    watch = SpaceWatch(server.look)
    for _ in range(3):
        with watch.over(Write()):
            await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    assert server.looks == 0


async def test_what_is_held_is_given_up_and_what_comes_is_refused_until_there_is_space() -> None:
    server = Server()
    server.full = True
    watch = SpaceWatch(server.look)
    slow, behind = Write(), Write()
    async with asyncio.timeout(5):
        with watch.over(slow), watch.over(behind):
            await slow.ended.wait()
            await behind.ended.wait()
    assert await refuses(watch)
    server.full = False
    await until(False, watch)
    looks = server.looks
    await asyncio.sleep(0.06)
    assert server.looks == looks, "nobody looks once there is space"


@pytest.mark.parametrize("away", [False, True], ids=["slow", "away"])
async def test_a_slow_write_is_looked_at_until_it_ends(away: bool) -> None:
    server = Server()
    server.away = away
    watch = SpaceWatch(server.look)
    write = Write()
    with watch.over(write):
        async with asyncio.timeout(5):
            while server.looks < 3:
                await asyncio.sleep(0.005)
    assert not write.ended.is_set()
    assert not await refuses(watch)
    await watch.close()
    looks = server.looks
    with watch.over(write):
        await asyncio.sleep(0.05)
    assert server.looks == looks, "a closed one looks no more"
