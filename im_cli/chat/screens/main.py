"""The main screen: conversations at the left, the open one at the right."""

import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import tzinfo
from typing import Any, ClassVar, Final

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static

from im_cli.chat.clean import one_line
from im_cli.chat.commands import Call, CommandMistakeError, parse
from im_cli.chat.desk import Desk
from im_cli.chat.entry import Entrance
from im_cli.chat.notices import membership_text, title_of, typing_text
from im_cli.chat.rows import rows_of
from im_cli.chat.screens.acts import Acts
from im_cli.chat.screens.writing import Writing
from im_cli.chat.thread import Loaded
from im_cli.chat.widgets.composer import Composer
from im_cli.chat.widgets.connection_line import ConnectionLine
from im_cli.chat.widgets.conversation_list import ConversationList
from im_cli.chat.widgets.message_log import MessageLog
from im_sdk import Conversation, ConversationKind

WELCOME: Final = """\
Welcome.

Ctrl+N starts a private chat, Ctrl+G a group.
/world opens the room everybody is in.
Or choose a conversation at the left, with Ctrl+↓ or a click.

F1 shows the keys and commands."""
DRAW_S: Final = 0.04
"""Changes of so long are drawn at once: 25 times a second at most."""


class MainScreen(Screen[None]):
    """An account at work.

    Args:
        entrance: the account.
        zone: for times; None: the machine's.
        take_over: a person asked for the place that another device has.
        on_kicked: the server ended the session: why, in words, and whether a person may come back.
        on_logout: a person wants to leave for good.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n", "new_chat", "New chat", key_display="^N", priority=True),
        Binding("ctrl+g", "new_group", "New group", key_display="^G", priority=True),
        Binding("ctrl+p", "app.command_palette", "Commands", key_display="^P", priority=True),
        Binding("f1", "help", "Help", key_display="F1"),
        Binding("ctrl+up", "step(-1)", "Above", show=False, priority=True),
        Binding("ctrl+down", "step(1)", "Below", show=False, priority=True),
    ]
    CSS = """
    #left { width: 28; background: $surface; }
    #me { height: 1; padding: 0 1; color: $secondary; background: $surface; text-wrap: nowrap; text-overflow: ellipsis; }
    #right { width: 1fr; }
    #title { height: 1; padding: 0 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }
    #empty { height: 1fr; padding: 1 2; color: $secondary; content-align: center middle; text-align: center; }
    #mode { height: 1; padding: 0 1; color: $primary; background: $surface; display: none; }
    #mode.shown { display: block; }
    #log { height: 1fr; }
    #writing { height: auto; border-top: solid $panel; background: $surface; }
    .wide #left { width: 36; }
    """

    def __init__(
        self,
        entrance: Entrance,
        *,
        zone: tzinfo | None,
        take_over: bool = False,
        on_kicked: Callable[[str, bool], None],
        on_logout: Callable[[], None],
    ) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "narrow"), (110, "wide")]
        self._zone = zone
        self._take_over = take_over
        self.desk = Desk(
            entrance.client,
            entrance.store,
            entrance.people,
            on_change=self._changed,
            on_problem=lambda text: self.notify(text, severity="warning", markup=False, timeout=6),
            on_kicked=on_kicked,
        )
        self.writing = Writing(self, self.desk)
        self._acts = Acts(self, on_logout=on_logout)
        self._draw_planned = False
        self._begun = False
        self._shown: int | None = None

    def compose(self) -> ComposeResult:
        """The parts."""
        with Horizontal():
            with Vertical(id="left"):
                yield Static(id="me", markup=False)
                yield ConversationList(id="conversations")
            with Vertical(id="right"):
                yield Static(id="title")
                yield Static(id="empty", markup=False)
                yield MessageLog(id="log")
                with Vertical(id="writing"):
                    yield Static(id="mode", markup=False)
                    yield Composer(id="composer")
                yield ConnectionLine(id="connection", markup=False)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Connect."""
        self.query_one(Composer).focus()
        self.run_worker(self.desk.run(take_over=self._take_over), name="desk")
        self.set_interval(1, self._changed)  # seconds to the next try, typing that ended, midnight
        self._draw()

    # drawing

    def _changed(self) -> None:
        if not self._draw_planned and self.is_mounted:
            self._draw_planned = True
            self.set_timer(DRAW_S, self._draw)

    def _draw(self) -> None:
        self._draw_planned = False
        if not self.is_running:
            return
        desk, now_ms = self.desk, time.time_ns() // 1_000_000
        conversations = desk.conversations()
        if desk.online and not self._begun:
            self._begun = True
            self._open_last(conversations)
        self.query_one(ConversationList).show(conversations, desk.current, desk.people, now_ms=now_ms, zone=self._zone)
        user = desk.people.me
        name, sign = one_line(user.display_name), f"@{user.handle}" if user.handle else "guest"
        self.query_one("#me", Static).update(sign if name == user.handle else f"{name} · {sign}")
        self.query_one(ConnectionLine).show(desk.connection, desk.retry_deadline - time.monotonic())
        self._draw_open(now_ms)
        if self.app.app_focus and self.app.screen is self and self.query_one(MessageLog).at_end:
            desk.mark_read()

    def _draw_open(self, now_ms: int) -> None:
        desk, log = self.desk, self.query_one(MessageLog)
        conversation, thread = desk.conversation(), desk.thread()
        empty = self.query_one("#empty", Static)
        self.query_one("#title", Static).update(self._title(conversation))
        if thread is None or not (len(thread) or thread.pending):
            empty.update(self._nothing_to_show(conversation))
            empty.display, log.display = True, False
            return
        empty.display, log.display = False, True
        to_end = self._shown != desk.current
        self._shown = desk.current
        log.show(rows_of(thread, conversation, desk.people, now_ms=now_ms, zone=self._zone), to_end=to_end)

    def _title(self, conversation: Conversation | None) -> Text:
        if conversation is None:
            return Text("im chat", "bold")
        people = self.desk.people
        text = Text(title_of(conversation, people), "bold")
        if typists := self.desk.typists():
            about = typing_text(typists, people)
        elif closed := membership_text(conversation.membership):
            about = closed
        elif conversation.dissolved:
            about = "dissolved"
        elif conversation.kind is ConversationKind.GROUP:
            about = f"{conversation.member_count} {'person' if conversation.member_count == 1 else 'people'}"
        elif conversation.kind is ConversationKind.DIRECT:
            peer = people.find(conversation.peer_id)
            about = f"@{peer.handle}" if peer is not None and peer.handle not in {"", peer.display_name} else ""
        else:
            about = "everybody is here"
        return text.append(f"  {about}", "not bold italic" if typists else "not bold dim")

    def _nothing_to_show(self, conversation: Conversation | None) -> str:
        if conversation is None:
            if not self.desk.online:
                return ""
            return WELCOME
        thread = self.desk.thread()
        if thread is not None and thread.loaded is Loaded.LOADING:
            return "Loading …"
        return "Nothing here yet.\n\nWrite the first message below; Enter sends it."

    # opening

    def open(self, conversation_id: int, *, focus: bool = True) -> None:
        """Show a conversation; what was being written in the last one is kept for it."""
        if self.desk.current is None:
            self.desk.open(conversation_id)  # what was begun before the first one opened is for it
        elif self.desk.current != conversation_id:
            self.writing.leave()
            self.desk.open(conversation_id)
            self.writing.enter()
        self.query_one(ConversationList).point_at(conversation_id)
        if focus:
            self.query_one(Composer).focus()
        self._changed()

    def _open_last(self, conversations: Sequence[Conversation]) -> None:
        """Go on where one was; a newcomer is not put into the room where everybody listens."""
        last = next((each for each in conversations if each.kind is not ConversationKind.WORLD), None)
        if last is not None and self.desk.current is None:
            self.open(last.conversation_id, focus=False)

    def focus_composer(self) -> None:
        """Write on."""
        self.query_one(Composer).focus()

    def do(self, work: Coroutine[Any, Any, object]) -> None:
        """Do something that a person asked for; a refusal is told in words."""
        self.run_worker(self.desk.guarded(work))

    def start_command(self, name: str) -> None:
        """A command chosen in the palette: done if it needs nothing more, else begun in the composer."""
        self._acts.begin(name)

    # keys and clicks

    def action_new_chat(self) -> None:
        """Ask for a handle."""
        self._acts.begin("new")

    def action_new_group(self) -> None:
        """Ask for a title and handles."""
        self._acts.begin("group")

    def action_help(self) -> None:
        """Show the keys and commands."""
        self._acts.begin("help")

    def action_step(self, step: int) -> None:
        """Open the conversation above or below."""
        keys = [each.conversation_id for each in self.desk.conversations()]
        if keys:
            place = keys.index(self.desk.current) + step if self.desk.current in keys else 0
            self.open(keys[max(0, min(place, len(keys) - 1))])

    @on(OptionList.OptionSelected)
    def _on_chosen(self, event: OptionList.OptionSelected) -> None:
        if event.option.id is not None:
            self.open(int(event.option.id))

    @on(Composer.Submitted)
    def _on_submitted(self, event: Composer.Submitted) -> None:
        if self.writing.finish_edit(event.text):
            return
        if not event.text.strip():
            return
        try:
            line = parse(event.text.strip("\n").rstrip())
        except CommandMistakeError as mistake:
            self.writing.begin(event.text)
            self.notify(str(mistake), severity="warning", markup=False, timeout=8)
            return
        if isinstance(line, Call):
            self._acts.run(line)
        elif (problem := self._acts.not_here()) or (problem := self._acts.closed()):
            self.writing.begin(event.text)
            self.notify(problem, severity="warning", markup=False)
        else:
            self.writing.send(line)
            self.query_one(MessageLog).action_newest()

    @on(Composer.Changed)
    def _on_typed(self, event: Composer.Changed) -> None:
        text = event.text_area.text
        if text and not text.startswith("/") and event.text_area.has_focus:
            self.desk.tell_typing()

    @on(Composer.EditLast)
    def _on_edit_last(self) -> None:
        self._acts.begin("edit")

    @on(Composer.Cancelled)
    def _on_cancelled(self) -> None:
        self.writing.cancel()

    @on(Composer.Scrolled)
    def _on_scrolled(self, event: Composer.Scrolled) -> None:
        log = self.query_one(MessageLog)
        log.scroll_relative(y=event.direction * max(1, log.size.height - 2), animate=False)

    @on(MessageLog.WantsOlder)
    def _on_wants_older(self) -> None:
        self.desk.load_older()
        self._changed()

    @on(MessageLog.Typed)
    def _on_typed_elsewhere(self, event: MessageLog.Typed) -> None:
        composer = self.query_one(Composer)
        composer.focus()
        composer.insert(event.letter)

    @on(MessageLog.Act)
    def _on_act(self, event: MessageLog.Act) -> None:
        self._acts.on_message(event.key, event.what)

    def on_app_focus(self, _event: events.AppFocus) -> None:
        """The person is back: what is on screen is read now."""
        self._changed()
