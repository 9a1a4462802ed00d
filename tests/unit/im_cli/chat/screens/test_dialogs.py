from textual.app import App

from im_cli.chat.screens.dialogs import AskScreen, ConfirmScreen, ListScreen


async def test_lines_are_asked_one_after_the_other() -> None:
    app: App[None] = App()
    answers: list[object] = []
    async with app.run_test() as pilot:
        app.push_screen(AskScreen("New group", (("Title", ""), ("Who", ""))), answers.append)
        await pilot.press("enter", *"tea", "enter", *"@a b", "enter")
        app.push_screen(AskScreen("New group", (("Title", ""),)), answers.append)
        await pilot.pause()
        await pilot.press("x", "escape")
    assert answers == [("tea", "@a b"), None]


async def test_yes_no_and_escape() -> None:
    app: App[None] = App()
    answers: list[object] = []
    async with app.run_test() as pilot:
        for keys in (["enter"], ["right", "enter"], ["escape"]):
            app.push_screen(ConfirmScreen("Sure?", "Yes"), answers.append)
            await pilot.pause()
            await pilot.press(*keys)
    assert answers == [True, False, False]


async def test_a_list_closes() -> None:
    app: App[None] = App()
    async with app.run_test() as pilot:
        app.push_screen(ListScreen("Help", [("a", "b" * 200)], "note"))
        await pilot.pause()
        await pilot.press("escape")
        assert not isinstance(app.screen, ListScreen)
