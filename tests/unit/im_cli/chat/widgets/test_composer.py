from textual.app import App, ComposeResult

from im_cli.chat.widgets.composer import Composer


class Host(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[object] = []

    def compose(self) -> ComposeResult:
        yield Composer(id="composer")

    def on_composer_submitted(self, event: Composer.Submitted) -> None:
        self.told.append(event.text)

    def on_composer_edit_last(self) -> None:
        self.told.append("edit")

    def on_composer_cancelled(self) -> None:
        self.told.append("cancel")

    def on_composer_scrolled(self, event: Composer.Scrolled) -> None:
        self.told.append(event.direction)


async def test_enter_sends_and_empties() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("a", "b", "enter", "c", "enter")
        assert app.told == ["ab", "c"]
        assert app.query_one(Composer).text == ""


async def test_three_keys_break_the_line_in_the_order_of_typing() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("a", "ctrl+j", "b", "alt+enter", "c", "shift+enter", "d", "enter")
        assert app.told == ["a\nb\nc\nd"]


async def test_up_edits_only_from_the_empty_line() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("up", "a", "up", "escape", "pageup", "pagedown")
        assert app.told == ["edit", "cancel", -1, 1]


async def test_it_grows_with_its_text_up_to_six_lines() -> None:
    app = Host()
    async with app.run_test() as pilot:
        composer = app.query_one(Composer)
        assert composer.size.height == 1
        await pilot.press("a", *(["ctrl+j"] * 9))
        await pilot.pause()
        assert composer.size.height == 6
