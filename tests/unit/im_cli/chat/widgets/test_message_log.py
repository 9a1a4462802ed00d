from textual.app import App, ComposeResult

from im_cli.chat.rows import MessageRow, Row
from im_cli.chat.ticks import Tick
from im_cli.chat.widgets.message_log import MessageLog
from im_cli.chat.widgets.palette import DARK_THEME


def rows(first: int, last: int) -> list[Row]:
    return [
        MessageRow(f"m{n}", 2, "Grace", own=False, named=False, text=f"line {n}", time="12:00", tick=Tick.NONE)
        for n in range(first, last)
    ]


class Host(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[object] = []
        self.register_theme(DARK_THEME)
        self.theme = DARK_THEME.name

    def compose(self) -> ComposeResult:
        yield MessageLog(id="log")

    def on_message_log_wants_older(self) -> None:
        self.told.append("older")

    def on_message_log_act(self, event: MessageLog.Act) -> None:
        self.told.append((event.key, event.what))


def top(log: MessageLog) -> str:
    return log.render_line(0).text.split("12:00")[0].strip("▎ ")


async def test_it_follows_the_newest_line() -> None:
    app = Host()
    async with app.run_test(size=(60, 10)) as pilot:
        log = app.query_one(MessageLog)
        log.show(rows(0, 500), to_end=True)
        await pilot.pause()
        assert top(log) == "line 490"
        log.show(rows(0, 501))
        await pilot.pause()
        assert top(log) == "line 491"


async def test_what_is_read_stays_where_it_is_while_rows_come_above_and_below() -> None:
    app = Host()
    async with app.run_test(size=(60, 10)) as pilot:
        log = app.query_one(MessageLog)
        log.show(rows(100, 200), to_end=True)
        await pilot.pause()
        log.scroll_to(y=20, animate=False)
        await pilot.pause()
        assert top(log) == "line 120"
        log.show(rows(50, 250))
        await pilot.pause()
        assert top(log) == "line 120"
        assert not log.at_end


async def test_near_the_top_older_ones_are_wanted() -> None:
    app = Host()
    async with app.run_test(size=(60, 10)) as pilot:
        log = app.query_one(MessageLog)
        log.show(rows(0, 100), to_end=True)
        await pilot.pause()
        log.scroll_to(y=2, animate=False)
        await pilot.pause()
        assert "older" in app.told


async def test_keys_act_on_the_selected_message() -> None:
    app = Host()
    async with app.run_test(size=(60, 10)) as pilot:
        log = app.query_one(MessageLog)
        log.show(rows(0, 20), to_end=True)
        log.focus()
        await pilot.press("up", "up", "e", "r", "delete", "enter")
        assert app.told == [("m18", "edit"), ("m18", "reply"), ("m18", "recall"), ("m18", "retry")]
        await pilot.press("down", "down")
        assert app.told[-1] == ("m19", "leave")


async def test_a_click_selects() -> None:
    app = Host()
    async with app.run_test(size=(60, 10)) as pilot:
        log = app.query_one(MessageLog)
        log.show(rows(0, 20), to_end=True)
        await pilot.click(MessageLog, offset=(5, 3))
        assert log.selected == "m13"


async def test_a_narrower_screen_keeps_the_end_in_sight() -> None:
    app = Host()
    async with app.run_test(size=(100, 10)) as pilot:
        log = app.query_one(MessageLog)
        log.show(rows(0, 100), to_end=True)
        await pilot.resize_terminal(40, 8)
        await pilot.pause()
        assert log.at_end
