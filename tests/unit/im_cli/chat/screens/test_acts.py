from pathlib import Path

from im_cli.chat.screens.dialogs import AskScreen, ConfirmScreen, ListScreen
from im_sdk import ConversationKind, Membership
from tests.chat_support.screen import somebody, until, window
from tests.support.cluster import Cluster


async def test_a_group_from_its_making_to_its_end(cluster: Cluster, tmp_path: Path) -> None:
    async with (
        somebody(cluster.url) as grace,
        somebody(cluster.url, "Annie") as annie,
        window(cluster.url, tmp_path) as ada,
    ):
        await ada.type(f'/group "Tea time" @{grace.user.handle}\n')
        await ada.until_shown("You made the group “Tea time” with Grace Hopper")
        await ada.type(f"/add @{annie.user.handle}\n")
        await ada.until_shown("You added Annie")
        await ada.type("/members\n")
        await until(lambda: isinstance(ada.app.screen, ListScreen), "the members")
        await ada.until_shown("Tea time · 3 people")
        await ada.until_shown("owner")
        await ada.pilot.press("escape")
        await ada.type(f"/remove {annie.user.handle}\n")
        await ada.until_shown("You removed Annie")
        group = ada.screen.desk.current
        assert group is not None
        await until(lambda: (c := annie.conversation(group)) is None or c.membership is Membership.REMOVED, "removed")
        await ada.type("/dissolve\n")
        await until(lambda: isinstance(ada.app.screen, ConfirmScreen), "the question")
        await ada.pilot.press("enter")
        await ada.until_shown("dissolved")
        await until(lambda: (c := ada.screen.desk.conversation()) is not None and c.dissolved, "dissolved")
        await ada.type("hello?\n")
        await until(lambda: ada.app._notifications, "why nothing can be written")


async def test_a_message_is_taken_back(cluster: Cluster, tmp_path: Path) -> None:
    async with somebody(cluster.url) as grace, window(cluster.url, tmp_path) as ada:
        await ada.type(f"/new {grace.user.handle}\n")
        await ada.until_shown("Write the first message")
        await ada.type("oops\n")
        await ada.until_shown("✓")
        await ada.type("/recall\n")
        await until(lambda: isinstance(ada.app.screen, ConfirmScreen), "the question")
        await ada.pilot.press("enter")
        await ada.until_shown("This message was taken back")


async def test_a_new_chat_is_asked_for_and_unknown_people_are_told(cluster: Cluster, tmp_path: Path) -> None:
    async with somebody(cluster.url) as grace, window(cluster.url, tmp_path) as ada:
        await ada.pilot.press("ctrl+n")
        await until(lambda: isinstance(ada.app.screen, AskScreen), "the question")
        await ada.type("nobody_at_all\n")
        await until(
            lambda: any("nobody of this name" in note.message for note in ada.app._notifications), "the refusal"
        )
        await ada.pilot.press("ctrl+n")
        await until(lambda: isinstance(ada.app.screen, AskScreen), "the question")
        await ada.type(f"@{grace.user.handle}\n")
        await until(lambda: (c := ada.screen.desk.conversation()) is not None and c.peer_id == grace.user.user_id)


async def test_commands_of_groups_say_so_elsewhere(cluster: Cluster, tmp_path: Path) -> None:
    async with window(cluster.url, tmp_path) as ada:
        await ada.type("/leave\n")
        await until(lambda: any("Open a conversation" in note.message for note in ada.app._notifications))
        await ada.type("/world\n")
        await until(lambda: (c := ada.screen.desk.conversation()) is not None and c.kind is ConversationKind.WORLD)
        await ada.type("/leave\n")
        await until(lambda: any("for groups" in note.message for note in ada.app._notifications))
