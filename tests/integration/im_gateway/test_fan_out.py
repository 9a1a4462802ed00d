"""Large conversations: bodies to those who look, heads to the others, nothing to those who are out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from im_gateway.settings import DeliverySettings
from im_infra import error_table
from im_infra.aio import spawn
from im_infra.errors import ImError
from im_infra.routing import InterestTable
from im_infra.rpc.in_process import InProcessChannel
from im_infra.rpc.peer import Peer
from im_infra.rpc.stream_client import StreamClient
from im_proto.gateway.v1.gateway_pb2 import (
    CheckConversations,
    FanOut,
    FanOutEntry,
    GatewayPush,
    GatewayRequest,
    GatewayResponse,
    MembershipChange,
)
from im_proto.gateway.v1.gateway_pb2_grpc import GatewayServiceStub
from im_proto.logic.v1.stream_pb2 import LargeMembership
from im_proto.v1.conversation_pb2 import MEMBER_STATE_IN, Conversation, GetConversationResponse, Head
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_proto.v1.message_pb2 import (
    MESSAGE_TYPE_RECALL,
    Content,
    MembersChange,
    Message,
    MessagePush,
    Notice,
    PullRequest,
    PullResponse,
    Text,
)
from im_proto.v1.read_pb2 import ViewRequest
from im_proto.v1.session_pb2 import PingRequest
from im_proto.v1.sync_pb2 import SyncRequest, SyncResponse

ROOM = 77
QUICK = DeliverySettings(head_interval_s=0.05)


def message(seq: int, *, ref_seq: int = 0, text: str = "hello") -> Message:
    return Message(
        conversation_id=ROOM, seq=seq, count=seq, ref_seq=ref_seq, type=1, content=Content(text=Text(text=text))
    )


def entry(seq: int, *, ref_seq: int = 0, mentioned: tuple[int, ...] = (), **more: Any) -> FanOutEntry:
    bare = message(seq, ref_seq=ref_seq)
    bare.ClearField("content")
    return FanOutEntry(
        seq=seq,
        count=seq,
        ref_seq=ref_seq,
        frame=ServerFrame(message_push=MessagePush(message=message(seq, ref_seq=ref_seq), epoch=1)).SerializeToString(),
        bare_frame=ServerFrame(message_push=MessagePush(message=bare, epoch=1)).SerializeToString() if ref_seq else b"",
        mentioned_user_ids=mentioned,
        **more,
    )


@contextlib.asynccontextmanager
async def asking(site: Any) -> AsyncIterator[Any]:
    channel = InProcessChannel(site.in_process["gateway"])
    client = StreamClient(lambda: GatewayServiceStub(channel).Connect(None), me=Peer("task-1", "b"))
    running = spawn(client.run(), name="test.task")
    await site.until(lambda: client.ready)

    async def ask(**request: Any) -> int:
        body = GatewayRequest(**request).SerializeToString()
        return GatewayResponse.FromString(await client.call(body, timeout_s=3)).connections

    try:
        yield ask
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@contextlib.asynccontextmanager
async def task_stream(site: Any) -> AsyncIterator[Any]:
    async with asking(site) as ask:

        async def fan_out(*entries: FanOutEntry, member_version: int = 1, epoch: int = 1) -> int:
            return await ask(
                fan_out=FanOut(conversation_id=ROOM, epoch=epoch, member_version=member_version, entries=entries)
            )

        yield fan_out


async def enter(client: Any) -> None:
    """Look at the room."""
    answer = await client.ask(ClientFrame(request_id=2, view=ViewRequest(conversation_ids=[ROOM])))
    assert answer.HasField("view")


def member(from_seq: int = 1) -> list[LargeMembership]:
    return [LargeMembership(conversation_id=ROOM, from_seq=from_seq, member_version=1)]


async def seqs(client: Any, count: int) -> list[int]:
    return [(await client.next()).message_push.message.seq for _ in range(count)]


async def nothing_more(client: Any) -> None:
    answer = await client.ask(ClientFrame(request_id=99, ping=PingRequest()))
    assert answer.HasField("ping")
    assert not any(frame.HasField("message_push") for frame in client.inbox)


async def test_viewers_get_bodies_and_the_others_one_merged_head(open_site: Any) -> None:
    async with open_site(delivery=QUICK) as site, task_stream(site) as fan_out:
        site.logic.large = member()
        async with site.client(1) as viewer, site.client(2) as other:
            await enter(viewer)
            assert await fan_out(entry(1), entry(2)) == 2
            assert await seqs(viewer, 2) == [1, 2]
            head = (await other.next()).head_push.heads
            assert [(mark.conversation_id, mark.epoch, mark.max_seq) for mark in head] == [(ROOM, 1, 2)]


async def test_the_interest_is_announced_before_hello_is_answered(open_site: Any) -> None:
    async with open_site(delivery=QUICK) as site:
        site.logic.large = member()
        async with site.client(1):
            found, _ = await InterestTable(site.cache).find(ROOM)
            assert [(each.gateway_id, each.boot_id) for each in found] == [("gw-1", "boot-1")]
        await site.until(lambda: not site.gateway.connections)
        await site.sweep()
        assert (await InterestTable(site.cache).find(ROOM))[0] == []


async def test_the_world_room_is_everybodys(open_site: Any) -> None:
    async with open_site(delivery=QUICK) as site, task_stream(site) as fan_out:
        site.logic.world_id = ROOM
        site.logic.large = member()
        async with site.client(1) as client:
            await enter(client)
            assert await fan_out(entry(5), member_version=9) == 1
            assert await seqs(client, 1) == [5]


async def test_whom_logic_leaves_out_of_the_world_room_gets_nothing_of_it(open_site: Any) -> None:
    async with open_site(delivery=QUICK) as site, task_stream(site) as fan_out:
        site.logic.world_id = ROOM
        site.logic.large = member()
        async with site.client(1) as client:
            site.logic.large = []
            async with site.client(2) as banned:
                await enter(client)
                await enter(banned)
                assert await fan_out(entry(1, mentioned=(0, 2))) == 1
                assert await seqs(client, 1) == [1]
                await nothing_more(banned)
                assert banned.inbox == []


async def test_a_sync_in_hello_is_read_after_the_first_announcement(open_site: Any) -> None:
    async with open_site(delivery=QUICK) as site:
        site.logic.large = member()
        site.logic.answers["sync"] = lambda _caller, frame: ServerFrame(sync=SyncResponse(pts=frame.sync.pts + 1))
        for tab, pts in (("first", 8), ("second", 0)):
            async with site.client(1, instance_id=tab, sync=SyncRequest(pts=7)) as client:
                assert client.welcome.sync.pts == pts  # of the second one logic's own answer stands
                await nothing_more(client)
                assert client.inbox == []


async def test_the_mentioned_get_bodies_without_looking(open_site: Any) -> None:
    async with open_site(delivery=QUICK) as site, task_stream(site) as fan_out:
        site.logic.large = member()
        async with site.client(1) as one, site.client(2) as two:
            await fan_out(entry(1, mentioned=(2,)), entry(2, mentioned=(0,)))
            assert await seqs(two, 2) == [1, 2]
            assert await seqs(one, 1) == [2]


async def test_a_hot_room_gathers_its_entries_and_acknowledges_them_at_once(open_site: Any) -> None:
    hot = QUICK.model_copy(update={"merge_from_per_s": 1e-6})
    async with open_site(delivery=hot) as site, task_stream(site) as fan_out:
        site.logic.large = member()
        async with site.client(1) as client:
            await enter(client)
            for seq in range(1, 31):
                assert await fan_out(entry(seq)) == 1
            assert await seqs(client, 30) == list(range(1, 31))
            merged = site.metrics.counter("im_gateway_merged_entries_total")
            await site.until(lambda: next(iter(merged.collect())).samples[0].value > 0)


async def test_repeated_entries_are_dropped(open_site: Any) -> None:
    async with open_site(delivery=QUICK) as site, task_stream(site) as fan_out:
        site.logic.large = member()
        async with site.client(1) as client:
            await enter(client)
            await fan_out(entry(1), entry(2))
            await fan_out(entry(1), entry(2), entry(3))
            assert await seqs(client, 3) == [1, 2, 3]
            await nothing_more(client)


async def test_an_entry_whose_target_lies_outside_the_window_comes_bare(open_site: Any) -> None:
    async with open_site(delivery=QUICK) as site, task_stream(site) as fan_out:
        site.logic.large = member(from_seq=5)
        async with site.client(1) as late:
            await enter(late)
            site.logic.large = member(from_seq=1)
            async with site.client(2) as early:
                await enter(early)
                await fan_out(entry(6, ref_seq=3))
                assert (await late.next()).message_push.message.content == Content()
                full = (await early.next()).message_push.message
                assert full.content.text.text == "hello"


async def test_a_gap_is_filled_by_one_pull_before_it_is_sent_on(open_site: Any) -> None:
    async with open_site(delivery=QUICK) as site, task_stream(site) as fan_out:
        site.logic.large = member()

        def pull(_caller: Any, frame: ClientFrame) -> ServerFrame:
            wanted = range(frame.pull.from_seq, frame.pull.to_seq + 1)
            return ServerFrame(pull=PullResponse(conversation_id=ROOM, epoch=1, messages=map(message, wanted)))

        site.logic.answers["pull"] = pull
        async with site.client(1) as client, site.client(2) as other:
            await enter(client)
            await enter(other)
            await fan_out(entry(1))
            await asyncio.gather(fan_out(entry(4)), fan_out(entry(5)))
            assert await seqs(client, 5) == [1, 2, 3, 4, 5]
            assert await seqs(other, 5) == [1, 2, 3, 4, 5]
            pulls = [frame for _, frame in site.logic.commands if frame.HasField("pull")]
            assert len(pulls) == 1


async def test_a_gap_that_cannot_be_filled_makes_clients_compare(open_site: Any) -> None:
    async with open_site(delivery=QUICK) as site, task_stream(site) as fan_out:
        site.logic.large = member()
        site.logic.answers["pull"] = lambda caller, frame: ImError(error_table.UNAVAILABLE)
        async with site.client(1) as client:
            await enter(client)
            await fan_out(entry(1))
            await fan_out(entry(4))
            assert await seqs(client, 1) == [1]
            assert list((await client.next()).check.conversation_ids) == [ROOM]
            assert await seqs(client, 1) == [4]


async def test_what_task_could_not_send_makes_clients_compare(open_site: Any) -> None:
    """Those of the conversations that are named, or of all; what nobody here is in counts nobody."""
    async with open_site(delivery=QUICK) as site, asking(site) as ask:
        site.logic.large = member()
        async with site.client(1) as client:
            for check in (CheckConversations(conversation_ids=[ROOM, ROOM + 1]), CheckConversations(every=True)):
                assert await ask(check_conversations=check) == 1
                assert list((await client.next()).check.conversation_ids) == [ROOM]
            assert await ask(check_conversations=CheckConversations(conversation_ids=[ROOM + 1])) == 0


async def test_who_is_removed_sees_the_removal_and_nothing_after(open_site: Any) -> None:
    async with open_site(delivery=QUICK) as site, task_stream(site) as fan_out:
        site.logic.large = member()
        async with site.client(1) as stays, site.client(2) as goes:
            await enter(stays)
            await enter(goes)
            gone = MembershipChange(conversation_id=ROOM, user_id=2, to_seq=2, member_version=2)
            await fan_out(entry(1), entry(2, changes=[gone]), entry(3), member_version=2)
            assert await seqs(stays, 3) == [1, 2, 3]
            assert await seqs(goes, 2) == [1, 2]
            await nothing_more(goes)


async def test_who_comes_sees_from_the_entry_that_says_so(open_site: Any) -> None:
    async with open_site(delivery=QUICK) as site, task_stream(site) as fan_out:
        site.logic.large = member()
        async with site.client(1) as old:
            await enter(old)
            site.logic.large = []
            async with site.client(2) as new:
                await enter(new)
                came = MembershipChange(conversation_id=ROOM, user_id=2, from_seq=2, member_version=2)
                await fan_out(entry(1), entry(2, changes=[came]), entry(3), member_version=2)
                assert await seqs(old, 3) == [1, 2, 3]
                assert await seqs(new, 2) == [2, 3]


async def test_a_gateway_that_is_behind_revalidates_before_it_sends(open_site: Any) -> None:
    async with open_site(delivery=QUICK) as site, task_stream(site) as fan_out:
        site.logic.large = member()

        def get_conversation(caller: Any, _frame: ClientFrame) -> ServerFrame | ImError:
            if caller.user_id == 2:
                return ImError(error_table.NOT_A_MEMBER)
            head = Head(conversation=Conversation(conversation_id=ROOM, state=MEMBER_STATE_IN))
            return ServerFrame(get_conversation=GetConversationResponse(head=head))

        site.logic.answers["get_conversation"] = get_conversation
        async with site.client(1) as stays, site.client(2) as removed:
            await enter(stays)
            await enter(removed)
            await fan_out(entry(1))
            await fan_out(entry(2), member_version=8)
            await fan_out(entry(3), member_version=8)
            assert await seqs(stays, 3) == [1, 2, 3]
            assert await seqs(removed, 1) == [1]
            await nothing_more(removed)


async def test_a_pulled_notice_changes_the_members_as_a_pushed_one_does(open_site: Any) -> None:
    async with open_site(delivery=QUICK) as site, task_stream(site) as fan_out:
        site.logic.large = member()
        removal = message(2)
        removal.content.notice.CopyFrom(Notice(removed=MembersChange(actor_id=1, user_ids=[2])))
        site.logic.answers["pull"] = lambda caller, frame: ServerFrame(
            pull=PullResponse(conversation_id=ROOM, epoch=1, messages=[removal])
        )
        async with site.client(1) as stays, site.client(2) as removed:
            await enter(stays)
            await enter(removed)
            await fan_out(entry(1))
            await fan_out(entry(3))
            assert await seqs(stays, 3) == [1, 2, 3]
            assert await seqs(removed, 2) == [1, 2]
            await nothing_more(removed)


async def test_logic_tells_of_a_change_by_push(open_site: Any) -> None:
    async with open_site(delivery=QUICK) as site, task_stream(site) as fan_out, site.client(1) as client:
        await enter(client)
        came = MembershipChange(conversation_id=ROOM, user_id=1, from_seq=4, member_version=3)
        site.logic.push(GatewayPush(membership_change=came))
        await site.until(lambda: site.interested(ROOM))
        assert await fan_out(entry(4), member_version=3) == 1
        assert await seqs(client, 1) == [4]


async def test_a_conversation_of_nobody_here_is_answered_zero(open_site: Any) -> None:
    async with open_site(delivery=QUICK) as site, task_stream(site) as fan_out:
        assert await fan_out(entry(1)) == 0


async def test_who_joins_later_is_told_the_head(open_site: Any) -> None:
    async with open_site(delivery=QUICK) as site, task_stream(site) as fan_out:
        site.logic.large = member()
        async with site.client(1) as first:
            await enter(first)
            await fan_out(entry(1), entry(2))
            assert await seqs(first, 2) == [1, 2]
            await asyncio.sleep(0.1)
            async with site.client(2) as second:
                heads = (await second.next()).head_push.heads
                assert [(mark.conversation_id, mark.max_seq) for mark in heads] == [(ROOM, 2)]


async def pulled(client: Any, from_seq: int, to_seq: int = 0, **more: int) -> PullResponse:
    pull = PullRequest(conversation_id=ROOM, from_seq=from_seq, to_seq=to_seq, **more)
    answer = await client.ask(ClientFrame(request_id=50, pull=pull))
    assert isinstance(answer.pull, PullResponse)
    return answer.pull


async def test_pulls_of_the_latest_entries_are_answered_here_once_the_reader_is_known(open_site: Any) -> None:
    async with open_site(delivery=QUICK) as site, task_stream(site) as fan_out:
        site.logic.large = member()
        site.logic.answers["pull"] = lambda caller, frame: ServerFrame(
            pull=PullResponse(conversation_id=ROOM, epoch=1, rewind_seq=9, floor=1)
        )
        async with site.client(1) as client:
            await fan_out(entry(10), entry(11), entry(12))
            assert (await pulled(client, 10)).messages == []
            asked = len(site.logic.commands)
            answer = await pulled(client, 10)
            assert [each.seq for each in answer.messages] == [10, 11, 12]
            assert (answer.epoch, answer.rewind_seq, answer.floor, answer.max_seq) == (1, 9, 1, 12)
            assert [each.seq for each in (await pulled(client, 11, 11)).messages] == [11]
            assert len(site.logic.commands) == asked
            for beyond in ((9, 0), (10, 13), (0, 12)):
                await pulled(client, *beyond)
            await pulled(client, 10, 12, limit=2)
            assert len(site.logic.commands) == asked + 4


async def test_an_entry_that_changed_is_not_answered_from_here(open_site: Any) -> None:
    async with open_site(delivery=QUICK) as site, task_stream(site) as fan_out:
        site.logic.large = member()
        site.logic.answers["pull"] = lambda caller, frame: ServerFrame(pull=PullResponse(epoch=1))
        async with site.client(1) as client:
            await fan_out(entry(10), entry(11))
            await pulled(client, 10)
            recall = entry(12, ref_seq=10)
            frame = ServerFrame.FromString(recall.frame)
            frame.message_push.message.type = MESSAGE_TYPE_RECALL
            recall.frame = frame.SerializeToString()
            await fan_out(recall)
            asked = len(site.logic.commands)
            await pulled(client, 10)
            assert len(site.logic.commands) == asked + 1
            assert [each.seq for each in (await pulled(client, 11)).messages] == [11, 12]
            assert len(site.logic.commands) == asked + 1
