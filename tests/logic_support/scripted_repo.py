"""A repo process as a script: it holds requests until the test lets it answer them, in the order of its log."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.rpc.peer import Peer
from im_proto.repo.v1.conversation_pb2 import ConversationState, MemberRow, Window
from im_proto.repo.v1.stream_pb2 import (
    APPEND_STATUS_ABSENT,
    APPEND_STATUS_DUPLICATE,
    APPEND_STATUS_RECHECK,
    APPEND_STATUS_STORED,
    AppendItem,
    AppendResult,
    ConfirmedRange,
    CursorState,
    Entries,
    LogEntry,
    RepoRequest,
    RepoResponse,
)

OnAnswer = Callable[[bytes | None, ImError | None], None]
GROUP = 2
DIRECT = 1
SERVER_TIME = 1_800_000_000_000


def group(conversation_id: int, *user_ids: int, owner: int = 0) -> ConversationState:
    """A small group whose members have been in from the beginning."""
    members = [
        MemberRow(user_id=user_id, role=3 if user_id == owner else 1, state=1, windows=[Window(from_seq=1)])
        for user_id in user_ids
    ]
    return ConversationState(
        conversation_id=conversation_id,
        kind=GROUP,
        status=1,
        fanout=1,
        epoch=1,
        member_version=1,
        deny_version=1,
        member_count=len(members),
        members=members,
    )


@dataclass(eq=False)
class ScriptedRepo:
    """`RepoClients` and the one `RepoClient`: requests wait in `inbox` until `step`, or are answered at once."""

    at_once: bool = True
    peer: Peer | None = field(default_factory=lambda: Peer("repo", "boot"))
    states: dict[int, ConversationState] = field(default_factory=dict)
    log: dict[int, list[AppendItem]] = field(default_factory=dict)
    inbox: deque[tuple[RepoRequest, OnAnswer]] = field(default_factory=deque)
    confirmed: list[ConfirmedRange] = field(default_factory=list)
    loads: int = 0
    ready: bool = True
    failures: deque[ImError] = field(default_factory=deque)
    cursors: list[CursorState] = field(default_factory=list)

    def pick(self, key: int) -> "ScriptedRepo":
        """This one, while it is ready."""
        if not self.ready:
            raise ImError(error_table.UNAVAILABLE)
        return self

    def all(self) -> list["ScriptedRepo"]:
        """This one."""
        return [self]

    def request(self, body: bytes, on_answer: OnAnswer, *, timeout_s: float) -> None:
        """Take a request."""
        self.inbox.append((RepoRequest.FromString(body), on_answer))
        if self.at_once:
            self.step()

    def step_read(self) -> bool:
        """Answer the oldest request that is no append: reads do not wait for the append queue."""
        for request in self.inbox:
            if request[0].WhichOneof("request") != "append":
                self.inbox.remove(request)
                self.inbox.appendleft(request)
                return self.step()
        return False

    def step(self) -> bool:
        """Answer the oldest request; False: there is none."""
        if not self.inbox:
            return False
        request, on_answer = self.inbox.popleft()
        try:
            if self.failures:
                raise self.failures.popleft()
            response = self._answer(request)
        except ImError as error:
            on_answer(None, error)
        else:
            on_answer(response.SerializeToString(), None)
        return True

    async def turn(self, until: Callable[[], object]) -> None:
        """Answer everything, as time passes, until a condition holds."""
        async with asyncio.timeout(5):
            while not until():
                self.step()
                await asyncio.sleep(0.005)

    def lose(self) -> None:
        """The stream breaks: everything under way has an unknown outcome; the first half of it took effect."""
        lost, self.inbox = self.inbox, deque()
        for position, (request, on_answer) in enumerate(lost):
            if position < len(lost) // 2:
                self._answer(request)
            on_answer(None, ImError(error_table.UNAVAILABLE, "stream lost"))

    def texts(self, conversation_id: int) -> list[bytes]:
        """The client ids in the order of the log."""
        return [item.client_message_id for item in self.log.get(conversation_id, [])]

    def _answer(self, request: RepoRequest) -> RepoResponse:
        which = request.WhichOneof("request")
        if which == "append":
            return RepoResponse(append=self._append(request.append))
        if which == "find_append":
            find = request.find_append
            return RepoResponse(found=self._find(find.conversation_id, find.sender_id, find.client_message_id))
        if which == "load_conversation":
            self.loads += 1
            return RepoResponse(conversation=self._state(request.load_conversation.conversation_id))
        if which == "confirm":
            self.confirmed.extend(request.confirm.ranges)
        if which == "read_entries":
            return RepoResponse(entries=self._entries(request))
        if which in {"mark_reads", "mark_received"}:
            return self._moved(request, which)
        return RepoResponse()

    def _state(self, conversation_id: int) -> ConversationState:
        state = self.states.get(conversation_id)
        if state is None:
            raise ImError(error_table.CONVERSATION_NOT_FOUND)
        return state

    def _find(self, conversation_id: int, sender_id: int, client_id: bytes) -> AppendResult:
        for seq, item in enumerate(self.log.get(conversation_id, []), start=1):
            if (item.sender_id, item.client_message_id) == (sender_id, client_id):
                return self._result(conversation_id, seq, APPEND_STATUS_DUPLICATE)
        return AppendResult(status=APPEND_STATUS_ABSENT)

    def _append(self, item: AppendItem) -> AppendResult:
        state = self._state(item.conversation_id)
        found = self._find(item.conversation_id, item.sender_id, item.client_message_id)
        if found.status == APPEND_STATUS_DUPLICATE:
            return found
        if item.deny_version and item.deny_version != state.deny_version:
            return AppendResult(status=APPEND_STATUS_RECHECK, deny_version=state.deny_version)
        log = self.log.setdefault(item.conversation_id, [])
        log.append(item)
        result = self._result(item.conversation_id, len(log), APPEND_STATUS_STORED)
        result.changed.extend(item.effects.members)
        return result

    def _result(self, conversation_id: int, seq: int, status: int) -> AppendResult:
        state = self.states[conversation_id]
        return AppendResult(
            status=status,  # type: ignore[arg-type]
            conversation_id=conversation_id,
            seq=seq,
            count=seq,
            message_id=1_000 + seq,
            server_time=SERVER_TIME,
            outbox_id=7,
            member_version=state.member_version,
            deny_version=state.deny_version,
            fanout=state.fanout,
            epoch=state.epoch,
        )

    def _entries(self, request: RepoRequest) -> Entries:
        read = request.read_entries
        state = self._state(read.conversation_id)
        items = self.log[read.conversation_id][read.from_seq - 1 : read.to_seq]
        entries = [
            LogEntry(
                conversation_id=read.conversation_id,
                seq=read.from_seq + offset,
                sender_id=item.sender_id,
                client_message_id=item.client_message_id,
                type=item.type,
                ref_seq=item.ref_seq,
                body=item.body,
                server_time=SERVER_TIME,
            )
            for offset, item in enumerate(items)
        ]
        return Entries(entries=entries, epoch=state.epoch, member_version=state.member_version)

    def _moved(self, request: RepoRequest, which: str) -> RepoResponse:
        response = RepoResponse()
        moves = getattr(request, which).moves
        cursors = response.reads.cursors if which == "mark_reads" else response.received.cursors
        for move in moves:
            state = self.states.get(move.conversation_id)
            if state is None or all(row.user_id != move.user_id for row in state.members):
                continue
            cursor = CursorState(user_id=move.user_id, conversation_id=move.conversation_id, moved=True)
            if which == "mark_reads":
                cursor.read_seq, cursor.pts, cursor.time = move.seq, 5, SERVER_TIME
            else:
                cursor.received_seq = move.seq
            cursors.append(cursor)
            self.cursors.append(cursor)
        return response
