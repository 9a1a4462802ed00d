from pathlib import Path

import pytest
from textual.widgets import Static

from im_cli.chat.app import ChatApp
from im_cli.chat.entry import Door
from im_cli.chat.state_folder import StateFolder
from tests.chat_support.screen import PASSWORD, fresh_handle, until
from tests.support.cluster import Cluster


@pytest.fixture
def app(cluster: Cluster, tmp_path: Path) -> ChatApp:
    return ChatApp(Door(cluster.url, StateFolder(tmp_path, cluster.url)))


def problem(app: ChatApp) -> str:
    return str(app.screen.query_one("#problem", Static).render())


async def until_at(app: ChatApp, field: str) -> None:
    """Until what is typed goes into a field: the screen, and each of its tabs, come a moment after they are asked for."""
    await until(lambda: app.focused is not None and app.focused.id == field, f"the cursor in {field}")


async def test_a_newcomer_registers(app: ChatApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until_at(app, "login-handle")
        await pilot.press("f2")
        await until_at(app, "register-handle")
        await pilot.press(*fresh_handle(), "enter", *"short", "enter")
        await until(lambda: "8 to 256" in problem(app), "the rule of passwords")
        await pilot.press(*"er than that", "enter")
        await until_at(app, "composer")
    await app.leave()


async def test_a_wrong_password_is_told_and_a_right_one_goes_in(app: ChatApp) -> None:
    handle = fresh_handle()
    await app.door.register(handle, PASSWORD)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_at(app, "login-handle")
        await pilot.press(*handle, "enter", *"wrong horse", "enter")
        await until(lambda: "handle or the password is wrong" in problem(app), "the refusal")
        await pilot.press("ctrl+u", *PASSWORD, "enter")
        await until_at(app, "composer")
    await app.leave()


async def test_a_guest_needs_a_name_at_most(app: ChatApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until_at(app, "login-handle")
        await pilot.press("f2")
        await until_at(app, "register-handle")
        await pilot.press("f2")
        await until_at(app, "guest-name")
        await pilot.press(*"Visitor", "enter")
        await until_at(app, "composer")
    await app.leave()
