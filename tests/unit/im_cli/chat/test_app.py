from pathlib import Path

from im_cli.chat.app import ChatApp
from im_cli.chat.entry import Door
from im_cli.chat.screens.main import MainScreen
from im_cli.chat.screens.welcome import WelcomeScreen
from im_cli.chat.state_folder import StateFolder
from tests.chat_support.screen import until, window
from tests.support.cluster import Cluster


async def test_a_guest_named_by_a_flag_is_in_at_once_and_comes_back(cluster: Cluster, tmp_path: Path) -> None:
    user_ids = set()
    for _ in range(2):
        app = ChatApp(Door(cluster.url, StateFolder(tmp_path, cluster.url)), guest="Visitor")
        async with app.run_test():
            await until(lambda app=app: isinstance(app.screen, MainScreen) and app.screen.desk.online, "online")
            assert isinstance(app.screen, MainScreen)
            user_ids.add(app.screen.desk.people.me.user_id)
        await app.leave()
    assert len(user_ids) == 1


async def test_an_account_that_is_open_elsewhere_leads_to_the_first_screen(cluster: Cluster, tmp_path: Path) -> None:
    async with window(cluster.url, tmp_path):
        second = ChatApp(Door(cluster.url, StateFolder(tmp_path, cluster.url)))
        async with second.run_test():
            await until(lambda: isinstance(second.screen, WelcomeScreen), "the first screen")
            assert "open in another window" in str(second.screen.query_one("#note").render())
        await second.leave()


async def test_logging_out_leads_to_the_first_screen(cluster: Cluster, tmp_path: Path) -> None:
    async with window(cluster.url, tmp_path) as ada:
        await ada.type("/logout\n")
        await until(lambda: isinstance(ada.app.screen, WelcomeScreen), "the first screen")
        assert ada.app.door.folder.accounts() == []


async def test_a_session_ended_elsewhere_leads_to_the_first_screen(cluster: Cluster, tmp_path: Path) -> None:
    async with window(cluster.url, tmp_path) as ada:
        door = Door(cluster.url, StateFolder(tmp_path / "other", cluster.url))
        async with door.enter(await door.login(ada.handle, "correct horse")) as other:
            await other.client.logout(everywhere=True)
        await until(lambda: isinstance(ada.app.screen, WelcomeScreen), "the first screen")


async def test_the_theme_switches(cluster: Cluster, tmp_path: Path) -> None:
    async with window(cluster.url, tmp_path) as ada:
        before = ada.app.theme
        await ada.type("/theme\n")
        await until(lambda: ada.app.theme != before, "another theme")
