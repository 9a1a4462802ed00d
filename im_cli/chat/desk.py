"""The model behind the screen: one connected account, its conversations, what is open, and what a person does.

It knows no widgets: `on_change` says that something is to be drawn again, `on_problem` has a sentence for a person.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from im_cli.chat.people import People
from im_cli.chat.thread import Loaded, Pending, Thread
from im_cli.chat.words import words_for
from im_sdk import (
    Client,
    ClosedError,
    ConnectionState,
    ConnectionStateChanged,
    Conversation,
    ConversationKind,
    ConversationRewound,
    Event,
    ImError,
    Kicked,
    LocalStore,
    MessageChanged,
    MessageReceived,
    MessageSent,
    MessagesUnavailable,
    NoticeReceived,
    SendFailed,
    Typing,
    Unavailability,
)

PAGE: Final = 50
"""Entries of history at a time."""
TYPING_SHOWN_S: Final = 5.0
TYPING_TOLD_S: Final = 3.0
LEARN_AGAIN_S: Final = 2.0


class Desk:
    """An account at work.

    Args:
        client: logged in, not connected yet.
        store: the client's.
        people: names.
        on_change: something is to be drawn again; called often, so draw later and once.
        on_problem: tell the person.
        on_kicked: the server ended the session; with the reason in words and whether a person may come back by
            `take_over`.
    """

    def __init__(
        self,
        client: Client,
        store: LocalStore,
        people: People,
        *,
        on_change: Callable[[], None],
        on_problem: Callable[[str], None],
        on_kicked: Callable[[str, bool], None],
    ) -> None:
        self.client = client
        self.people = people
        self.current: int | None = None
        self.connection = ConnectionStateChanged(ConnectionState.CONNECTING)
        self.retry_deadline = 0.0
        """When the next try is, monotonic seconds, while WAITING."""
        self._store = store
        self._on_change = on_change
        self._on_problem = on_problem
        self._on_kicked = on_kicked
        self._threads: dict[int, Thread] = {}
        self._typing: dict[int, dict[int, float]] = {}
        self._typing_told = 0.0
        self._reading: set[int] = set()
        self._tasks: asyncio.TaskGroup | None = None

    # its life

    async def run(self, *, take_over: bool = False) -> None:
        """Connect, and apply what happens until the client is closed or cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            learner = tasks.create_task(self._learn(), name="im chat names")
            tasks.create_task(self._connect(take_over=take_over), name="im chat connect")
            try:
                async for event in self.client.events():
                    self.apply(event)
            except ClosedError:
                pass  # Kicked and ConnectionStateChanged told why
            except ImError as error:  # the client itself broke: say so instead of falling over
                self.connection = ConnectionStateChanged(ConnectionState.CLOSED, error)
                self._on_change()
            finally:
                learner.cancel()
                self._tasks = None

    def apply(self, event: Event) -> None:
        """Take an event."""
        match event:
            case MessageReceived(message) | NoticeReceived(message):
                self._typing.get(message.conversation_id, {}).pop(message.sender_id, None)
                self._take(message.conversation_id, lambda thread: thread.take(message))
            case MessageSent(message):
                self._take(message.conversation_id, lambda thread: thread.take_own(message))
            case MessageChanged():
                self._take(event.conversation_id, lambda thread: thread.change(event))
            case ConversationRewound(conversation_id, rewind_seq):
                self._take(conversation_id, lambda thread: thread.rewind(rewind_seq))
            case MessagesUnavailable(conversation_id, _, _, Unavailability.SKIPPED):
                self._take(conversation_id, Thread.restart)
                self._load_current(conversation_id)
            case SendFailed():
                self._on_problem(f"A message of your last visit was not sent. {words_for(event.error)}")
            case Typing(conversation_id, user_id):
                self._typing.setdefault(conversation_id, {})[user_id] = time.monotonic() + TYPING_SHOWN_S
            case ConnectionStateChanged():
                self._take_state(event)
            case Kicked(close_code, reason):
                self._take_kick(close_code, reason)
            case _:
                pass  # ConversationChanged, ConversationLeft, ReceiptReceived: the client's list says it
        self._on_change()

    # what is shown

    def conversations(self) -> list[Conversation]:
        """The list, the most recently active first."""
        return self.client.conversations()

    def conversation(self) -> Conversation | None:
        """The one that is open."""
        return self.client.conversation(self.current) if self.current is not None else None

    def thread(self) -> Thread | None:
        """Its messages."""
        return self._threads.get(self.current) if self.current is not None else None

    def typists(self) -> list[int]:
        """Who is typing in the open one."""
        now = time.monotonic()
        told = self._typing.get(self.current or 0, {})
        return [user_id for user_id, until in told.items() if until > now and user_id != self.people.me.user_id]

    @property
    def online(self) -> bool:
        """Connected and in sync."""
        return self.client.state is ConnectionState.ONLINE

    # what a person does

    def open(self, conversation_id: int) -> None:
        """Show a conversation."""
        self.current = conversation_id
        thread = self._threads.setdefault(conversation_id, Thread(conversation_id))
        conversation = self.client.conversation(conversation_id)
        thread.new_from_seq = conversation.read_seq if conversation is not None and conversation.unread else 0
        self._view()
        self._load_current(conversation_id)
        self._on_change()

    def load_older(self) -> None:
        """Ask for the page before the oldest message shown."""
        thread = self.thread()
        if thread is not None and thread.loaded is Loaded.PARTLY and not thread.fetching:
            self.start(self._load(thread))

    def send(self, text: str, *, reply_to: int = 0) -> None:
        """Send a text to the open conversation."""
        thread = self.thread()
        if thread is not None:
            pending = thread.add(text, time_ms=time.time_ns() // 1_000_000, reply_to=reply_to)
            self.start(self._deliver(thread, pending))
            self._on_change()

    def retry(self, pending: Pending) -> None:
        """Send a refused message again."""
        thread = self.thread()
        if thread is not None and pending in thread.pending and pending.failure:
            thread.drop(pending)
            self.send(pending.text, reply_to=pending.reply_to)

    def discard(self, pending: Pending) -> None:
        """Forget a refused message."""
        if (thread := self.thread()) is not None and pending.failure:
            thread.drop(pending)
            self._on_change()

    def mark_read(self) -> None:
        """What is open was seen up to its end."""
        conversation = self.conversation()
        if conversation is None or not self.online or conversation.conversation_id in self._reading:
            return
        if conversation.unread and conversation.local_seq > conversation.read_seq:
            self.start(self._mark_read(conversation.conversation_id))

    def tell_typing(self) -> None:
        """A key was pressed in the composer."""
        conversation = self.conversation()
        now = time.monotonic()
        if conversation is None or conversation.kind is ConversationKind.WORLD or conversation.large:
            return
        if self.online and now - self._typing_told > TYPING_TOLD_S:
            self._typing_told = now
            self.client.typing(conversation.conversation_id)

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Do something that may take a while; its failure is told in words."""
        if self._tasks is None:
            work.close()
            self._on_problem("The connection is closed. Log in again.")
            return
        self._tasks.create_task(self.guarded(work), name="im chat act")

    async def find_users(self, handles: Sequence[str]) -> list[int]:
        """The ids of handles.

        Raises:
            ImError: one is unknown; the message names it.
        """
        found = []
        for handle in handles:
            user = await self.client.find_user(handle)
            self.people.meet(user)
            found.append(user.user_id)
        return found

    async def guarded(self, work: Coroutine[Any, Any, object]) -> None:
        """Do something, and tell its failure in words."""
        try:
            await work
        except ClosedError as error:
            if error.number:
                self._on_problem(words_for(error))
        except ImError as error:
            self._on_problem(words_for(error))
        self._on_change()

    # within

    async def _connect(self, *, take_over: bool) -> None:
        try:
            await self.client.connect(take_over=take_over)
        except ImError:
            return  # the events told it
        self.people.meet(self.client.user)
        self._view()
        if self.current is not None:
            self._load_current(self.current)
        self._on_change()

    async def _learn(self) -> None:
        while True:
            await self.people.asked.wait()
            try:
                await self.people.learn(self.client)
            except ClosedError:
                return
            except ImError:
                await asyncio.sleep(LEARN_AGAIN_S)
                self.people.asked.set()
            self._on_change()

    def _take(self, conversation_id: int, change: Callable[[Thread], None]) -> None:
        thread = self._threads.get(conversation_id)
        if thread is not None and thread.loaded is not Loaded.NOTHING:
            change(thread)

    def _take_state(self, event: ConnectionStateChanged) -> None:
        self.connection = event
        self.retry_deadline = time.monotonic() + event.retry_in_s
        if event.state is ConnectionState.ONLINE and self.current is not None:
            self._load_current(self.current)

    def _take_kick(self, close_code: int, reason: str) -> None:
        error = self.connection.error
        may_return = close_code == 4502
        self._on_kicked(words_for(error) if error is not None else reason, may_return)

    def _view(self) -> None:
        if self.current is not None and self.client.state is not ConnectionState.OFFLINE:
            self.client.view(self.current)

    def _load_current(self, conversation_id: int) -> None:
        thread = self._threads.get(conversation_id)
        if thread is None or conversation_id != self.current or thread.fetching or self._tasks is None:
            return
        if thread.loaded is Loaded.NOTHING or (self.online and not thread.fresh):
            self.start(self._load_newest(thread))

    async def _load_newest(self, thread: Thread) -> None:
        """The kept messages at once, then the server's newest page, which is the truth."""
        thread.fetching = True
        if thread.loaded is Loaded.NOTHING:
            thread.loaded = Loaded.LOADING
            for message in await self._store.messages(thread.conversation_id, limit=PAGE):
                thread.take(message)
            self._on_change()
        try:
            if not self.online:
                return
            seqs = await self._fetch(thread, None)
            thread.fresh = True
            if seqs:
                thread.drop_below(min(seqs))
        finally:
            thread.fetching = False
            if thread.loaded is Loaded.LOADING:
                thread.loaded = Loaded.PARTLY

    async def _load(self, thread: Thread) -> None:
        thread.fetching = True
        try:
            if self.online:
                await self._fetch(thread, thread.oldest_seq)
            else:
                kept = await self._store.messages(thread.conversation_id, before=thread.oldest_seq, limit=PAGE)
                for message in kept:
                    thread.take(message)
        finally:
            thread.fetching = False

    async def _fetch(self, thread: Thread, before: int | None) -> list[int]:
        """A page of history into the thread; gives its seqs."""
        seqs: list[int] = []
        async for message in self.client.history(thread.conversation_id, before=before, page=PAGE):
            thread.take(message)
            seqs.append(message.seq)
            if len(seqs) >= PAGE:
                break
        thread.loaded = Loaded.PARTLY if len(seqs) >= PAGE else Loaded.WHOLLY
        return seqs

    async def _deliver(self, thread: Thread, pending: Pending) -> None:
        try:
            sent = await self.client.send(thread.conversation_id, pending.text, reply_to=pending.reply_to)
        except ClosedError as error:
            if error.number:
                thread.fail(pending, words_for(error))
        except ImError as error:
            thread.fail(pending, words_for(error))
        else:
            thread.settle(pending, sent)

    async def _mark_read(self, conversation_id: int) -> None:
        self._reading.add(conversation_id)
        try:
            await self.client.mark_read(conversation_id)
        finally:
            self._reading.discard(conversation_id)
