"""A server of the client protocol as a list in memory: what the SDK's tests talk to.

Sans-I/O: frames of one connection go in, frames for connections come out. It keeps logs, accounts and nothing else;
its order of answers is that of the requests. Tests choose what the network does with its frames.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from im_proto.v1 import account_pb2, error_pb2, frame_pb2, message_pb2, read_pb2, session_pb2, sync_pb2
from im_proto.v1 import conversation_pb2 as c
from im_sdk._error_table import KINDS, RETRYABLE, ErrorNumber

START_MS = 1_800_000_000_000


@dataclass
class Log:
    """One conversation."""

    conversation_id: int
    members: set[int]
    kind: int = c.CONVERSATION_KIND_GROUP
    title: str = ""
    large: bool = False
    epoch: int = 1
    rewind_seq: int = 0
    moved: int = 0
    dissolved: bool = False
    entries: list[message_pb2.Message] = field(default_factory=list)
    by_client_id: dict[tuple[int, str], message_pb2.SendResponse] = field(default_factory=dict)
    missing: set[int] = field(default_factory=set)


@dataclass
class Connection:
    """A socket that said hello or has not yet."""

    user_id: int = 0
    outgoing: deque[frame_pb2.ServerFrame] = field(default_factory=deque)
    requests: list[frame_pb2.ClientFrame] = field(default_factory=list)
    open: bool = True
    close_code: int = 1006

    def take(self) -> list[frame_pb2.ServerFrame]:
        """All frames that wait."""
        frames = list(self.outgoing)
        self.outgoing.clear()
        return frames

    def close(self, code: int) -> None:
        """Close after what waits."""
        self.open = False
        self.close_code = code


class ModelServer:
    """Accounts are numbers; the access token of account 7 is "token-7"."""

    def __init__(self, *, page_size: int = 3, pull_page: int = 5) -> None:
        self.logs: dict[int, Log] = {}
        self.events: dict[int, list[sync_pb2.AccountEvent]] = {}
        self.read: dict[tuple[int, int], int] = {}
        self.received: dict[tuple[int, int], int] = {}
        self.connections: list[Connection] = []
        self.time = START_MS
        self.page_size = page_size
        self.pull_page = pull_page
        self.refuse: Callable[[Connection, str, Any], error_pb2.Error | None] = lambda *_: None
        self.push_filter: Callable[[], bool] = lambda: True
        self.world_conversation_id = 0
        self.resume_tokens: set[str] = set()
        self.handles: dict[str, int] = {}
        self.valid_tokens: Callable[[str], bool] = lambda _token: True
        self._last_id = 100
        self.handlers = {
            "send": self._send,
            "pull": self._pull,
            "sync": self._sync,
            "mark_read": self._mark_read,
            "ping": lambda _c, _r: session_pb2.PingResponse(server_time=self.time),
            "view": lambda _c, _r: read_pb2.ViewResponse(),
            "typing": self._typing,
            "get_conversation": lambda conn, r: c.GetConversationResponse(
                head=self.head(self.logs[r.conversation_id], conn.user_id)
            ),
            "refresh": lambda _c, _r: session_pb2.RefreshResponse(expire_time=self.time + 900_000),
            "open_direct": self._open_direct,
            "create_group": self._create_group,
            "edit_message": self._edit,
            "recall_message": self._recall,
            "list_members": self._list_members,
            "add_members": self._add_members,
            "remove_member": self._remove_member,
            "leave_group": self._leave,
            "dissolve_group": lambda _c, _r: c.DissolveGroupResponse(),
            "find_user": self._find_user,
            "get_users": lambda _c, r: account_pb2.GetUsersResponse(users=[self.user(key) for key in r.user_ids]),
            "get_messages": lambda _c, r: message_pb2.GetMessagesResponse(
                messages=[self.logs[r.conversation_id].entries[seq - 1] for seq in r.seqs]
            ),
        }

    # what a test does on the server's side

    def make(self, members: set[int], **settings: Any) -> Log:
        """A new conversation; its members learn of it by an account event."""
        self._last_id += 1
        log = Log(self._last_id, set(members), **settings)
        self.logs[log.conversation_id] = log
        self._touch(log)
        for user_id in sorted(members):
            self._account_event(user_id, joined=sync_pb2.Joined(conversation_id=log.conversation_id))
        return log

    def append(self, log: Log, sender_id: int, text: str, **fields: Any) -> message_pb2.Message:
        """A new text, pushed to the members."""
        content = message_pb2.Content(text=message_pb2.Text(text=text))
        return self._append(log, sender_id, content, message_pb2.MESSAGE_TYPE_TEXT, **fields)

    def rewind(self, log: Log, keep: int) -> None:
        """A backup was restored: everything above `keep` is gone."""
        del log.entries[keep:]
        log.by_client_id = {key: ack for key, ack in log.by_client_id.items() if ack.seq <= keep}
        log.epoch += 1
        log.rewind_seq = keep
        self._touch(log)

    def push(self, user_id: int, **event: Any) -> None:
        """A frame of the server's own to all connections of a user."""
        for conn in self.connections:
            if conn.open and conn.user_id == user_id:
                conn.outgoing.append(frame_pb2.ServerFrame(**event))

    def connect(self) -> Connection:
        """A new socket."""
        conn = Connection()
        self.connections = [each for each in self.connections if each.open]
        self.connections.append(conn)
        return conn

    def user(self, user_id: int) -> account_pb2.User:
        """A profile."""
        handle = next((name for name, key in self.handles.items() if key == user_id), "")
        return account_pb2.User(user_id=user_id, handle=handle, display_name=f"user {user_id}")

    # the protocol

    def receive(self, conn: Connection, data: bytes) -> None:
        """A WebSocket message came."""
        for frame in frame_pb2.ClientFrames.FromString(data).frames:
            conn.requests.append(frame)
            operation = frame.WhichOneof("operation")
            assert operation is not None
            request = getattr(frame, operation)
            if operation == "hello":
                self._hello(conn, frame)
                continue
            assert conn.user_id, f"{operation} before hello"
            if operation == "ack_received":
                for cursor in request.cursors:
                    key = (conn.user_id, cursor.conversation_id)
                    self.received[key] = max(self.received.get(key, 0), cursor.seq)
                continue
            error = self.refuse(conn, operation, request)
            if error is not None:
                conn.outgoing.append(frame_pb2.ServerFrame(request_id=frame.request_id, error=error))
                continue
            answer = self.handlers[operation](conn, request)
            if frame.request_id:
                if isinstance(answer, error_pb2.Error):
                    conn.outgoing.append(frame_pb2.ServerFrame(request_id=frame.request_id, error=answer))
                else:
                    conn.outgoing.append(frame_pb2.ServerFrame(request_id=frame.request_id, **{operation: answer}))

    def _hello(self, conn: Connection, frame: frame_pb2.ClientFrame) -> None:
        hello = frame.hello
        token = hello.access_token or hello.resume_token
        if hello.resume_token:
            if hello.resume_token not in self.resume_tokens:
                refusal = error(ErrorNumber.RESUME_INVALID)
                conn.outgoing.append(frame_pb2.ServerFrame(request_id=frame.request_id, error=refusal))
                conn.close(4501)
                return
            self.resume_tokens.remove(hello.resume_token)
        elif not self.valid_tokens(token):
            refusal = error(ErrorNumber.TOKEN_EXPIRED)
            conn.outgoing.append(frame_pb2.ServerFrame(request_id=frame.request_id, error=refusal))
            conn.close(4501)
            return
        conn.user_id = int(token.split("-")[1])
        self._last_id += 1
        resume = f"resume-{conn.user_id}-{self._last_id}"
        self.resume_tokens.add(resume)
        answer = session_pb2.HelloResponse(
            resume_token=resume,
            server_time=self.time,
            sync=self._sync(conn, hello.sync),
            connection_id=str(self._last_id),
        )
        answer.user.CopyFrom(self.user(conn.user_id))
        answer.world_conversation_id = self.world_conversation_id
        answer.limits.max_frame_bytes = 65_536
        answer.limits.max_text_bytes = 16_384
        conn.outgoing.append(frame_pb2.ServerFrame(request_id=frame.request_id, hello=answer))

    def head(self, log: Log, user_id: int) -> c.Head:
        """A conversation as an account sees it."""
        read_seq = self.read.get((user_id, log.conversation_id), 0)
        unread = sum(
            1
            for entry in log.entries[read_seq:]
            if entry.sender_id != user_id and entry.type == message_pb2.MESSAGE_TYPE_TEXT and not entry.recalled
        )
        head = c.Head(max_seq=len(log.entries), read_seq=read_seq, unread=min(unread, 100))
        wire = head.conversation
        wire.conversation_id = log.conversation_id
        wire.kind = log.kind  # type: ignore[assignment]
        wire.title = log.title
        wire.epoch = log.epoch
        wire.rewind_seq = log.rewind_seq
        wire.member_count = len(log.members)
        wire.state = c.MEMBER_STATE_IN if user_id in log.members else c.MEMBER_STATE_LEFT
        wire.role = c.MEMBER_ROLE_MEMBER
        wire.large = log.large
        wire.active_time = log.moved
        if log.kind == c.CONVERSATION_KIND_DIRECT:
            wire.peer_id = next(iter(log.members - {user_id}), user_id)
        for entry in reversed(log.entries):
            if entry.type == message_pb2.MESSAGE_TYPE_TEXT:
                head.last_message.CopyFrom(entry)
                break
        return head

    def _sync(self, conn: Connection, request: sync_pb2.SyncRequest) -> sync_pb2.SyncResponse:
        user_id = conn.user_id
        events = self.events.get(user_id, [])
        since = request.since.time if request.HasField("since") else 0
        listed = [log for log in self.logs.values() if log.moved >= since and (user_id in log.members or since)]
        listed.sort(key=lambda log: -log.moved)
        start = int(request.page_token or 0)
        page = listed[start : start + self.page_size]
        response = sync_pb2.SyncResponse(pts=len(events), heads=[self.head(log, user_id) for log in page])
        if not request.page_token:
            response.reset = request.pts > len(events)
            response.events.extend(events[request.pts :])
        response.since.time = self.time
        response.since.clock_generation = 1
        if start + self.page_size < len(listed):
            response.next_page_token = str(start + self.page_size)
        return response

    def _send(self, conn: Connection, request: message_pb2.SendRequest) -> message_pb2.SendResponse | error_pb2.Error:
        log = self.logs[request.conversation_id]
        if conn.user_id not in log.members:
            return error(ErrorNumber.NOT_A_MEMBER)
        stored = log.by_client_id.get((conn.user_id, request.client_message_id))
        if stored is not None:
            answer = message_pb2.SendResponse()
            answer.CopyFrom(stored)
            answer.duplicate = True
            return answer
        entry = self._append(
            log,
            conn.user_id,
            request.content,
            message_pb2.MESSAGE_TYPE_TEXT,
            client_message_id=request.client_message_id,
            ref_seq=request.ref_seq,
            but=conn,
        )
        answer = ack(entry)
        log.by_client_id[conn.user_id, request.client_message_id] = answer
        return answer

    def _append(
        self,
        log: Log,
        sender_id: int,
        content: message_pb2.Content,
        kind: int,
        *,
        client_message_id: str = "",
        ref_seq: int = 0,
        but: Connection | None = None,
    ) -> message_pb2.Message:
        self._last_id += 1
        self._touch(log)
        entry = message_pb2.Message(
            conversation_id=log.conversation_id,
            seq=len(log.entries) + 1,
            count=len(log.entries) + 1,
            message_id=self._last_id,
            sender_id=sender_id,
            client_message_id=client_message_id,
            server_time=self.time,
            type=kind,  # type: ignore[arg-type]
            content=content,
            ref_seq=ref_seq,
        )
        log.entries.append(entry)
        for conn in self.connections:
            if conn.open and conn.user_id in log.members and conn is not but and self.push_filter():
                conn.outgoing.append(
                    frame_pb2.ServerFrame(message_push=message_pb2.MessagePush(message=entry, epoch=log.epoch))
                )
        return entry

    def _pull(self, _conn: Connection, request: message_pb2.PullRequest) -> message_pb2.PullResponse:
        log = self.logs[request.conversation_id]
        limit = min(request.limit or 100, self.pull_page)
        last = min(request.to_seq or len(log.entries), len(log.entries))
        if request.from_seq:
            first = request.from_seq
            end = min(last, first + limit - 1)
            more = end < last
        else:
            limit = request.limit or 100
            first, end = max(1, last - limit + 1), last
            more = first > 1 and limit < 100
        answer = message_pb2.PullResponse(
            conversation_id=log.conversation_id, epoch=log.epoch, rewind_seq=log.rewind_seq, max_seq=len(log.entries)
        )
        for seq in range(first, end + 1):
            if seq in log.missing:
                answer.missing.add(from_seq=seq, to_seq=seq)
            else:
                answer.messages.append(log.entries[seq - 1])
        answer.more = more
        return answer

    def _mark_read(self, conn: Connection, request: read_pb2.MarkReadRequest) -> read_pb2.MarkReadResponse:
        key = (conn.user_id, request.conversation_id)
        seq = min(request.seq, len(self.logs[request.conversation_id].entries))
        if seq > self.read.get(key, 0):
            self.read[key] = seq
            self._account_event(
                conn.user_id, read_moved=sync_pb2.ReadMoved(conversation_id=request.conversation_id, read_seq=seq)
            )
        head = self.head(self.logs[request.conversation_id], conn.user_id)
        return read_pb2.MarkReadResponse(
            conversation_id=request.conversation_id,
            read_seq=head.read_seq,
            unread=head.unread,
            max_seq=head.max_seq,
        )

    def _typing(self, conn: Connection, request: message_pb2.TypingRequest) -> message_pb2.TypingResponse:
        push = message_pb2.TypingPush(conversation_id=request.conversation_id, user_id=conn.user_id)
        for user_id in self.logs[request.conversation_id].members - {conn.user_id}:
            self.push(user_id, typing_push=push)
        return message_pb2.TypingResponse()

    def _open_direct(self, conn: Connection, request: c.OpenDirectRequest) -> c.OpenDirectResponse:
        members = {conn.user_id, request.user_id}
        for log in self.logs.values():
            if log.kind == c.CONVERSATION_KIND_DIRECT and log.members == members:
                return c.OpenDirectResponse(head=self.head(log, conn.user_id))
        log = self.make(members, kind=c.CONVERSATION_KIND_DIRECT)
        return c.OpenDirectResponse(head=self.head(log, conn.user_id), created=True)

    def _create_group(self, conn: Connection, request: c.CreateGroupRequest) -> c.CreateGroupResponse:
        log = self.make({conn.user_id, *request.user_ids}, title=request.title)
        created = message_pb2.MembersChange(actor_id=conn.user_id, user_ids=request.user_ids, title=request.title)
        content = message_pb2.Content(notice=message_pb2.Notice(created=created))
        self._append(log, conn.user_id, content, message_pb2.MESSAGE_TYPE_NOTICE)
        return c.CreateGroupResponse(head=self.head(log, conn.user_id))

    def _list_members(self, _conn: Connection, request: c.ListMembersRequest) -> c.ListMembersResponse:
        members = sorted(self.logs[request.conversation_id].members)
        start = int(request.page_token or 0)
        answer = c.ListMembersResponse()
        for user_id in members[start : start + self.page_size]:
            answer.members.add(user_id=user_id, role=c.MEMBER_ROLE_MEMBER, state=c.MEMBER_STATE_IN)
        if start + self.page_size < len(members):
            answer.next_page_token = str(start + self.page_size)
        return answer

    def _add_members(self, _conn: Connection, request: c.AddMembersRequest) -> c.AddMembersResponse:
        log = self.logs[request.conversation_id]
        added = [user_id for user_id in request.user_ids if user_id not in log.members]
        log.members |= set(added)
        return c.AddMembersResponse(user_ids=added)

    def _remove_member(self, _conn: Connection, request: c.RemoveMemberRequest) -> c.RemoveMemberResponse:
        self.logs[request.conversation_id].members.discard(request.user_id)
        return c.RemoveMemberResponse()

    def _leave(self, conn: Connection, request: c.LeaveGroupRequest) -> c.LeaveGroupResponse:
        self.logs[request.conversation_id].members.discard(conn.user_id)
        return c.LeaveGroupResponse()

    def _find_user(self, _conn: Connection, request: account_pb2.FindUserRequest) -> Any:
        user_id = self.handles.get(request.handle.removeprefix("@").lower())
        if user_id is None:
            return error(ErrorNumber.USER_NOT_FOUND)
        return account_pb2.FindUserResponse(user=self.user(user_id))

    def _edit(self, conn: Connection, request: message_pb2.EditMessageRequest) -> message_pb2.EditMessageResponse:
        log = self.logs[request.conversation_id]
        entry = self._append(
            log,
            conn.user_id,
            message_pb2.Content(edit=request.text),
            message_pb2.MESSAGE_TYPE_EDIT,
            ref_seq=request.seq,
        )
        target = log.entries[request.seq - 1]
        target.content.text.CopyFrom(request.text)
        target.changed_seq, target.edit_time = entry.seq, entry.server_time
        return message_pb2.EditMessageResponse(entry=ack(entry))

    def _recall(self, conn: Connection, request: message_pb2.RecallMessageRequest) -> message_pb2.RecallMessageResponse:
        log = self.logs[request.conversation_id]
        for entry in log.entries:
            if request.seq in {entry.seq, entry.ref_seq}:
                entry.ClearField("content")
        entry = self._append(
            log, conn.user_id, message_pb2.Content(), message_pb2.MESSAGE_TYPE_RECALL, ref_seq=request.seq
        )
        target = log.entries[request.seq - 1]
        target.recalled, target.changed_seq = True, entry.seq
        return message_pb2.RecallMessageResponse(entry=ack(entry))

    def _account_event(self, user_id: int, **change: Any) -> None:
        events = self.events.setdefault(user_id, [])
        event = sync_pb2.AccountEvent(pts=len(events) + 1, time=self.time, **change)
        events.append(event)
        if self.push_filter():
            self.push(user_id, account_event_push=sync_pb2.AccountEventPush(event=event))

    def _touch(self, log: Log) -> None:
        self.time += 1
        log.moved = self.time


def ack(entry: message_pb2.Message) -> message_pb2.SendResponse:
    """What the sender is answered."""
    return message_pb2.SendResponse(
        conversation_id=entry.conversation_id,
        seq=entry.seq,
        count=entry.count,
        message_id=entry.message_id,
        server_time=entry.server_time,
        client_message_id=entry.client_message_id,
    )


def error(number: ErrorNumber, *, retry_after_ms: int = 0) -> error_pb2.Error:
    """A refusal."""
    return error_pb2.Error(
        number=number,
        name=number.name,
        message=KINDS[number].lower(),
        retryable=number in RETRYABLE,
        retry_after_ms=retry_after_ms,
    )
