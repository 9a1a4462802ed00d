"""What a connected account can do: messages, conversations, people."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, Final

from google.protobuf.message import Message as Wire

from im_proto.v1 import account_pb2, conversation_pb2, message_pb2, read_pb2
from im_sdk import _convert, _history
from im_sdk._engine import Engine
from im_sdk._error_table import ErrorNumber
from im_sdk._errors import ClosedError, ImError, from_table
from im_sdk._models import Conversation, Custom, Member, Mention, Message, SentMessage, User

_MEMBERS_PAGE: Final = 500


class Operations:
    """The operations of `Client`, on whatever engine it has.

    Args:
        request_timeout_s: how long an operation is tried, over reconnects.
        traceparent: tells the trace that the caller of an operation is in; None: nobody traces.
    """

    def __init__(self, *, request_timeout_s: float, traceparent: Callable[[], str] | None) -> None:
        self._request_timeout_s = request_timeout_s
        self._traceparent = traceparent or str
        self._engine: Engine | None = None
        self._closed = False

    # messages

    async def send(
        self,
        conversation_id: int,
        body: str | Custom,
        *,
        mentions: Sequence[Mention] = (),
        reply_to: int = 0,
        seen_seq: int = 0,
    ) -> SentMessage:
        """Send a message; returns once it is on the server's disk. It is stored once, whatever the network does.

        Messages of one conversation keep the order of their calls. Cancelling takes the message back if it was not
        written to the network yet; otherwise it goes on, and a MessageSent or SendFailed event tells the end.

        Args:
            conversation_id: where to.
            body: a text, or an application's own body.
            mentions: users named in the text.
            reply_to: the seq of the message that this answers.
            seen_seq: the highest seq the sender had seen: marks it read on the way.

        Raises:
            OutboxFullError: too many wait already; nothing was queued.
            ClosedError: the client was closed; with a store the message is kept and sent by the next run.
            ImError: the server's refusal.
        """
        content = _convert.text_content(body, mentions) if isinstance(body, str) else _convert.custom_content(body)
        return await self._need_engine().send(
            conversation_id, content, ref_seq=reply_to, seen_seq=seen_seq, traceparent=self._traceparent()
        )

    async def edit(self, conversation_id: int, seq: int, text: str, *, mentions: Sequence[Mention] = ()) -> None:
        """Replace the text of an own message."""
        content = _convert.text_content(text, mentions)
        request = message_pb2.EditMessageRequest(
            conversation_id=conversation_id, seq=seq, text=content.text, operation_id=self._new_id()
        )
        await self._ask("edit_message", request)

    async def recall(self, conversation_id: int, seq: int) -> None:
        """Take a message back, for everybody."""
        request = message_pb2.RecallMessageRequest(
            conversation_id=conversation_id, seq=seq, operation_id=self._new_id()
        )
        await self._ask("recall_message", request)

    async def get_messages(self, conversation_id: int, seqs: Iterable[int]) -> list[Message]:
        """Single messages in their present state; those that may not be seen are left out."""
        request = message_pb2.GetMessagesRequest(conversation_id=conversation_id, seqs=seqs)
        answer: message_pb2.GetMessagesResponse = await self._ask("get_messages", request)
        return [_convert.message(wire, self._me()) for wire in answer.messages]

    def history(
        self,
        conversation_id: int,
        *,
        before: int | None = None,
        after: int | None = None,
        page: int = 100,
        changes: bool = False,
    ) -> AsyncIterator[Message]:
        """The log, read page by page as it is iterated: the newest first, or with `after` upwards from there.

        Args:
            conversation_id: of which conversation.
            before: downwards from below this seq; default: from the head.
            after: upwards from above this seq.
            page: entries a request, 1 to 200.
            changes: give the entries of edits and recalls too; messages are given in their present state anyway.
        """
        me = self._me()
        return _history.read(self._ask, conversation_id, me=me, before=before, after=after, page=page, changes=changes)

    async def mark_read(self, conversation_id: int, seq: int | None = None) -> int:
        """Move the read cursor forward; gives how many are unread after it.

        Args:
            conversation_id: of which conversation.
            seq: up to here; default: all that was given to the application.
        """
        engine = self._need_engine()
        if seq is None:
            track = engine.session.inbox.tracks.get(conversation_id)
            seq = track.seq if track is not None else 0
        if (known := self.conversation(conversation_id)) is not None:
            # Shown at once, but never beyond what is there: the server clamps it, and what comes later is unread.
            seen = min(seq, known.max_seq)
            engine.session.inbox.take_read(conversation_id, seen, engine.now(), answer_follows=True)
        request = read_pb2.MarkReadRequest(conversation_id=conversation_id, seq=seq)
        try:
            answer: read_pb2.MarkReadResponse = await self._ask("mark_read", request)
        except ImError:
            engine.session.inbox.read_failed(conversation_id, engine.now())
            engine.touch()
            raise
        engine.session.inbox.take_count(answer, engine.now())
        engine.touch()
        return answer.unread

    def typing(self, conversation_id: int) -> None:
        """Tell the others that one is typing; nothing happens while there is no connection."""
        engine = self._need_engine()
        engine.session.tell("typing", message_pb2.TypingRequest(conversation_id=conversation_id))
        engine.touch()

    # conversations

    def conversations(self) -> list[Conversation]:
        """All conversations as they are now, the most recently active first; kept up to date while connected."""
        return self._engine.session.inbox.pictures() if self._engine is not None else []

    def conversation(self, conversation_id: int) -> Conversation | None:
        """One conversation as it is now; None: not in the list."""
        if self._engine is None:
            return None
        inbox = self._engine.session.inbox
        listing = inbox.directory.find(conversation_id)
        return inbox.picture(listing) if listing is not None else None

    def view(self, *conversation_ids: int) -> None:
        """What is on screen from here on, instead of what was before: it is read when its log moved.

        Of large conversations at most 8 can be viewed; their messages come only while they are.
        """
        engine = self._need_engine()
        engine.session.view(list(conversation_ids), engine.now())
        engine.touch()

    async def open_direct(self, whom: str | int) -> Conversation:
        """Find or make the private conversation with a user: a handle, with or without @, or an id."""
        user_id = whom if isinstance(whom, int) else (await self.find_user(whom)).user_id
        answer: conversation_pb2.OpenDirectResponse = await self._ask(
            "open_direct", conversation_pb2.OpenDirectRequest(user_id=user_id)
        )
        return self._take_head(answer.head)

    async def create_group(self, title: str, user_ids: Iterable[int] = ()) -> Conversation:
        """Make a group that this account owns."""
        request = conversation_pb2.CreateGroupRequest(title=title, user_ids=user_ids, operation_id=self._new_id())
        answer: conversation_pb2.CreateGroupResponse = await self._ask("create_group", request)
        return self._take_head(answer.head)

    async def add_members(self, conversation_id: int, user_ids: Iterable[int]) -> list[int]:
        """Add 1 to 100 users to a group; gives who was not in yet."""
        request = conversation_pb2.AddMembersRequest(
            conversation_id=conversation_id, user_ids=user_ids, operation_id=self._new_id()
        )
        answer: conversation_pb2.AddMembersResponse = await self._ask("add_members", request)
        return list(answer.user_ids)

    async def remove_member(self, conversation_id: int, user_id: int) -> None:
        """Remove a member from a group."""
        request = conversation_pb2.RemoveMemberRequest(
            conversation_id=conversation_id, user_id=user_id, operation_id=self._new_id()
        )
        await self._ask("remove_member", request)

    async def leave_group(self, conversation_id: int) -> None:
        """Leave a group."""
        request = conversation_pb2.LeaveGroupRequest(conversation_id=conversation_id, operation_id=self._new_id())
        await self._ask("leave_group", request)

    async def dissolve_group(self, conversation_id: int) -> None:
        """End a group for everybody; its history stays readable."""
        request = conversation_pb2.DissolveGroupRequest(conversation_id=conversation_id, operation_id=self._new_id())
        await self._ask("dissolve_group", request)

    async def members(self, conversation_id: int) -> AsyncIterator[Member]:
        """The members, by user id, read page by page as they are iterated."""
        page_token = ""
        while True:
            request = conversation_pb2.ListMembersRequest(
                conversation_id=conversation_id, page_size=_MEMBERS_PAGE, page_token=page_token
            )
            answer: conversation_pb2.ListMembersResponse = await self._ask("list_members", request)
            for wire in answer.members:
                yield _convert.member(wire)
            page_token = answer.next_page_token
            if not page_token:
                return

    # people

    async def find_user(self, handle: str) -> User:
        """The user of a handle, with or without @.

        Raises:
            NotFoundError: there is none.
        """
        answer: account_pb2.FindUserResponse = await self._ask("find_user", account_pb2.FindUserRequest(handle=handle))
        return _convert.user(answer.user)

    async def get_users(self, user_ids: Iterable[int]) -> list[User]:
        """The profiles of 1 to 100 users; unknown ones are left out."""
        answer: account_pb2.GetUsersResponse = await self._ask(
            "get_users", account_pb2.GetUsersRequest(user_ids=user_ids)
        )
        return [_convert.user(wire) for wire in answer.users]

    # within

    async def _ask(self, operation: str, request: Wire) -> Any:  # noqa: ANN401 - each operation has its own answer
        return await self._need_engine().ask(
            operation, request, timeout_s=self._request_timeout_s, traceparent=self._traceparent()
        )

    def _take_head(self, head: conversation_pb2.Head) -> Conversation:
        engine = self._need_engine()
        engine.session.inbox.take_head(head, False, engine.now())
        engine.touch()
        conversation = self.conversation(head.conversation.conversation_id)
        assert conversation is not None
        return conversation

    def _need_engine(self) -> Engine:
        if self._closed:
            raise ClosedError.by_owner()
        if self._engine is None:
            raise from_table(ErrorNumber.HELLO_REQUIRED, "not connected: call connect() first")
        return self._engine

    def _me(self) -> int:
        return self._need_engine().session.inbox.me

    def _new_id(self) -> str:
        engine = self._need_engine()
        return engine.session.new_id(engine.now())
