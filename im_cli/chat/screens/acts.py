"""What a person asks for by command, key or palette, and the questions that it takes."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from im_cli.chat.commands import COMMANDS, Call, help_lines
from im_cli.chat.notices import membership_text, title_of
from im_cli.chat.rows import message_key, pending_key
from im_cli.chat.screens.dialogs import AskScreen, ConfirmScreen, ListScreen
from im_cli.chat.thread import Pending
from im_sdk import Conversation, ConversationKind, Message, Role

if TYPE_CHECKING:
    from im_cli.chat.screens.main import MainScreen

KEYS: Final = [
    ("Enter", "send"),
    ("Alt+Enter, Ctrl+J", "new line"),
    ("↑ in the empty line", "change your last message"),
    ("Tab, Shift+Tab", "messages · writing · conversations"),
    ("Page up, Page down", "scroll; older messages come by themselves"),
    ("Ctrl+↑, Ctrl+↓", "the conversation above, below"),
    ("on a message", "E edit · R reply · Del take back · Enter send again"),
    ("", ""),
]
_ROLES: Final = {Role.OWNER: "owner", Role.ADMIN: "admin"}
_GROUP_ONLY: Final = frozenset({"add", "remove", "leave", "dissolve"})
_OPEN_ONLY: Final = frozenset({"members", "edit", "recall", "retry"}) | _GROUP_ONLY


class Acts:
    """The commands.

    Args:
        screen: shows the questions and answers.
        on_logout: a person wants to leave for good.
    """

    def __init__(self, screen: "MainScreen", *, on_logout: Callable[[], None]) -> None:
        self._screen = screen
        self._desk = screen.desk
        do = screen.do
        self._done_by: dict[str, Callable[[int, tuple[str, ...]], object]] = {
            "new": lambda _here, words: do(self._new_chat(words[0])),
            "group": lambda _here, words: do(self._new_group(words[0], words[1:])),
            "world": lambda _here, _words: self._open_world(),
            "add": lambda here, words: do(self._add(here, words)),
            "remove": lambda here, words: do(self._remove(here, words[0])),
            "members": lambda here, _words: do(self._show_members(here)),
            "leave": lambda here, _words: do(self._leave(here)),
            "dissolve": lambda here, _words: do(self._dissolve(here)),
            "edit": lambda _here, _words: self._on_last("edit"),
            "recall": lambda _here, _words: self._on_last("recall"),
            "retry": lambda _here, _words: self._retry_all(),
            "theme": lambda _here, _words: screen.app.call_later(screen.app.run_action, "switch_theme"),
            "logout": lambda _here, _words: on_logout(),
            "quit": lambda _here, _words: screen.app.exit(),
            "help": lambda _here, _words: screen.app.push_screen(ListScreen("Keys and commands", KEYS + help_lines())),
        }

    def begin(self, name: str) -> None:
        """A command without its arguments: they are asked for."""
        command = next(each for each in COMMANDS if each.name == name)
        if name == "new":
            self._screen.do(self._ask_chat())
        elif name == "group":
            self._screen.do(self._ask_group())
        elif command.least:
            self._screen.writing.begin(f"/{name} ")
        else:
            self.run(Call(name))

    def run(self, call: Call) -> None:
        """Do a command."""
        if call.name in _OPEN_ONLY and (problem := self.not_here(group=call.name in _GROUP_ONLY)):
            self._warn(problem)
            return
        self._done_by[call.name](self._desk.current or 0, call.arguments)

    def on_message(self, key: str, what: str) -> None:
        """A key was pressed on a message of the log."""
        thread = self._desk.thread()
        if what == "leave" or thread is None:
            self._screen.focus_composer()
            return
        for pending in thread.pending:
            if pending_key(pending) == key and pending.failure:
                self._on_failed(pending, what)
                return
        message = next((each for each in thread.messages() if message_key(each.seq) == key), None)
        if message is not None and not message.recalled and message.notice is None:
            self._change(message, what)

    def not_here(self, *, group: bool = False) -> str:
        """Why a command makes no sense in what is open; empty if it does."""
        conversation = self._desk.conversation()
        if conversation is None:
            return "Open a conversation first: choose one at the left, or Ctrl+N for a new chat."
        if group and conversation.kind is not ConversationKind.GROUP:
            return "That is for groups; this is not one."
        return ""

    def closed(self) -> str:
        """Why nothing can be written to what is open; empty if it can."""
        conversation = self._desk.conversation()
        if conversation is not None and conversation.dissolved:
            return "This group was dissolved; it can be read, not written to."
        if conversation is not None and (left := membership_text(conversation.membership)):
            return f"{left}; it can be read, not written to."
        return ""

    # conversations

    async def _ask_chat(self) -> None:
        lines = await self._screen.app.push_screen_wait(AskScreen("New private chat", (("With whom?", "@handle"),)))
        if lines:
            await self._new_chat(lines[0])

    async def _ask_group(self) -> None:
        fields = (("Title", "what it is about"), ("Who else?", "@ada @grace"))
        lines = await self._screen.app.push_screen_wait(AskScreen("New group", fields))
        if lines:
            await self._new_group(lines[0], lines[1].replace(",", " ").split())

    async def _new_chat(self, handle: str) -> None:
        (user_id,) = await self._desk.find_users([handle])
        self._screen.open((await self._desk.client.open_direct(user_id)).conversation_id)

    async def _new_group(self, title: str, handles: Sequence[str]) -> None:
        members = await self._desk.find_users(handles)
        self._screen.open((await self._desk.client.create_group(title, members)).conversation_id)

    def _open_world(self) -> None:
        world = self._desk.client.world_conversation_id
        if world:
            self._screen.open(world)
        else:
            self._warn("There is no world room here." if self._desk.online else "Not connected yet. Try again soon.")

    async def _add(self, conversation_id: int, handles: Sequence[str]) -> None:
        if not await self._desk.client.add_members(conversation_id, await self._desk.find_users(handles)):
            self._screen.notify("They are in the group already.")

    async def _remove(self, conversation_id: int, handle: str) -> None:
        (user_id,) = await self._desk.find_users([handle])
        await self._desk.client.remove_member(conversation_id, user_id)

    async def _leave(self, conversation_id: int) -> None:
        if await self._confirm(f"Leave “{self._title(conversation_id)}”? Its history stays readable.", "Leave"):
            await self._desk.client.leave_group(conversation_id)

    async def _dissolve(self, conversation_id: int) -> None:
        if await self._confirm(f"End “{self._title(conversation_id)}” for everybody?", "Dissolve"):
            await self._desk.client.dissolve_group(conversation_id)

    async def _show_members(self, conversation_id: int) -> None:
        people = self._desk.people
        members = [member async for member in self._desk.client.members(conversation_id)]
        for member in members:
            people.find(member.user_id)
        await people.learn(self._desk.client)
        lines = []
        for member in sorted(members, key=lambda each: (-each.role, people.full_name(each.user_id).lower())):
            user = people.find(member.user_id)
            handle = f"@{user.handle}" if user is not None and user.handle else "guest"
            you = " (you)" if member.user_id == people.me.user_id else ""
            role = f" · {_ROLES[member.role]}" if member.role in _ROLES else ""
            lines.append((people.full_name(member.user_id) + you, handle + role))
        count = f"{len(members)} {'person' if len(members) == 1 else 'people'}"
        self._screen.app.push_screen(ListScreen(f"{self._title(conversation_id)} · {count}", lines))

    # messages

    def _on_last(self, what: str) -> None:
        thread = self._desk.thread()
        message = thread.last_editable() if thread is not None else None
        if message is None:
            self._warn("None of your messages is here.")
        else:
            self._change(message, what)

    def _change(self, message: Message, what: str) -> None:
        if what == "reply":
            self._screen.writing.reply(message)
        elif what == "edit" and message.outgoing and message.text is not None:
            self._screen.writing.edit(message)
        elif what == "edit":
            self._warn("Only your own messages can be changed.")
        elif what == "recall" and (message.outgoing or self._may_recall()):
            self._screen.do(self._recall(message))
        elif what == "recall":
            self._warn("Only your own messages can be taken back.")

    def _may_recall(self) -> bool:
        conversation = self._desk.conversation()
        return conversation is not None and conversation.role in {Role.ADMIN, Role.OWNER}

    async def _recall(self, message: Message) -> None:
        if await self._confirm("Take this message back, for everybody?", "Take back"):
            await self._desk.client.recall(message.conversation_id, message.seq)

    def _on_failed(self, pending: Pending, what: str) -> None:
        if what == "retry":
            self._desk.retry(pending)
        elif what == "recall":
            self._desk.discard(pending)

    def _retry_all(self) -> None:
        thread = self._desk.thread()
        failed = [pending for pending in thread.pending if pending.failure] if thread is not None else []
        if not failed:
            self._warn("Everything here was sent.")
        for pending in failed:
            self._desk.retry(pending)

    async def _confirm(self, question: str, yes: str) -> bool:
        answer = await self._screen.app.push_screen_wait(ConfirmScreen(question, yes))
        return answer is True

    def _title(self, conversation_id: int) -> str:
        conversation: Conversation | None = self._desk.client.conversation(conversation_id)
        return title_of(conversation, self._desk.people) if conversation is not None else ""

    def _warn(self, text: str) -> None:
        self._screen.notify(text, severity="warning", markup=False)
