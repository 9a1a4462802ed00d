"""The room's face: protobuf in, protobuf out."""

import pytest

from im_infra import error_table
from im_infra.cache.memory import MemoryCache
from im_infra.clock import ManualClock
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_infra.routing import RouteTable
from im_infra.rpc.peer import Peer
from im_logic.accounts.claims import Claims
from im_logic.accounts.model import DeviceClass, Installation, Session, User
from im_logic.sessions.connections import Connections
from im_logic.sessions.face import SessionFace
from im_logic.sessions.kick import ConnectionKey, LiveConnection
from im_logic.sessions.open_connection import Hello, Opened
from im_logic.sessions.ports import LargeMembership
from im_proto.logic.v1 import stream_pb2
from im_proto.v1.session_pb2 import HelloRequest
from im_proto.v1.sync_pb2 import SyncRequest, SyncResponse

GATEWAY = Peer("gateway-1", "boot-1")
SESSION = Session(
    session_id=2,
    user_id=1,
    installation=Installation("device-01", DeviceClass.WEB, ""),
    generation=5,
    refresh_hash=b"",
    refresh_counter=0,
    refresh_expire_time=0,
    created_time=0,
    seen_time=0,
)


class Opening:
    """Remembers the Hello and opens, or refuses."""

    def __init__(self) -> None:
        self.hello: Hello | None = None
        self.error: ImError | None = None

    async def open(self, hello: Hello) -> Opened:
        self.hello = hello
        if self.error is not None:
            raise self.error
        user = User(user_id=1, handle="alice", display_name="Alice", kind=2)
        return Opened(user, SESSION, "tab", 99, "resume", 7, [LargeMembership(7, 3, 4)], SyncResponse(pts=8))


@pytest.fixture
def opening() -> Opening:
    return Opening()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def connections(clock: ManualClock) -> Connections:
    return Connections(RouteTable(MemoryCache(clock), clock), lambda _: None)


@pytest.fixture
def face(opening: Opening, connections: Connections, clock: ManualClock, metrics: Metrics) -> SessionFace:
    return SessionFace(opening, connections, clock=clock, metrics=metrics)  # type: ignore[arg-type]


async def test_a_hello_with_an_access_token_brings_its_claims(
    face: SessionFace, opening: Opening, clock: ManualClock, metrics: Metrics
) -> None:
    hello = HelloRequest(
        access_token="jwt", device_id="device-01", instance_id="tab", take_over=True, sync=SyncRequest(pts=3)
    )
    claims = stream_pb2.Claims(
        user_id=1, session_id=2, generation=5, user_kind=2, device_id="device-01", device_class=4, expire_time=99
    )
    request = stream_pb2.OpenConnection(connection_id=6, boot_id="boot-1", hello=hello, claims=claims)
    answer = stream_pb2.OpenedConnection.FromString(await face.open(GATEWAY, request))
    assert opening.hello == Hello(
        key=ConnectionKey("gateway-1", "boot-1", 6),
        claims=Claims(1, 2, 5, 2, "device-01", 4, 99),
        device_id="device-01",
        instance_id="tab",
        take_over=True,
        sync=SyncRequest(pts=3),
    )
    assert answer.caller == stream_pb2.Caller(
        user_id=1, session_id=2, user_kind=2, connection_id=6, gateway_id="gateway-1", device_id="device-01"
    )
    assert (answer.expire_time, answer.generation, answer.hello.server_time) == (99, 5, clock.now_ms())
    assert answer.instance_id == "tab"
    assert (answer.hello.resume_token, answer.hello.world_conversation_id, answer.hello.sync.pts) == ("resume", 7, 8)
    assert list(answer.large) == [stream_pb2.LargeMembership(conversation_id=7, from_seq=3, member_version=4)]
    assert 'im_logic_hellos_total{credential="access_token",outcome="ok"} 1.0' in metrics.render().decode()


@pytest.mark.parametrize("credential", ["ticket", "resume_token"])
async def test_claims_count_only_beside_an_access_token(face: SessionFace, opening: Opening, credential: str) -> None:
    request = stream_pb2.OpenConnection(hello=HelloRequest(**{credential: "x"}), claims=stream_pb2.Claims(user_id=1))  # type: ignore[arg-type]
    await face.open(GATEWAY, request)
    assert opening.hello is not None
    assert opening.hello.claims is None
    assert opening.hello.sync is None
    assert getattr(opening.hello, credential) == "x"


async def test_a_connection_is_abandoned_as_soon_as_it_was_asked_for(face: SessionFace, opening: Opening) -> None:
    """Its request and the word that nobody waits may come in one frame."""
    request = stream_pb2.OpenConnection(connection_id=6, boot_id="boot-1", hello_time=77)
    answer = face.open(GATEWAY, request)
    face.abandon(GATEWAY, stream_pb2.AbandonConnection(connection_id=7, boot_id="boot-1"))
    face.abandon(Peer("gateway-2", "boot-1"), stream_pb2.AbandonConnection(connection_id=6, boot_id="boot-1"))
    face.abandon(GATEWAY, stream_pb2.AbandonConnection(connection_id=6, boot_id="boot-1"))
    await answer
    assert opening.hello is not None
    assert (opening.hello.wait.abandoned, opening.hello.hello_time) == (True, 77)
    face.abandon(GATEWAY, stream_pb2.AbandonConnection(connection_id=6, boot_id="boot-1"))


async def test_a_connection_that_others_abandon_is_not(face: SessionFace, opening: Opening) -> None:
    answer = face.open(GATEWAY, stream_pb2.OpenConnection(connection_id=6, boot_id="boot-1"))
    face.abandon(GATEWAY, stream_pb2.AbandonConnection(connection_id=7, boot_id="boot-1"))
    face.abandon(Peer("gateway-2", "boot-1"), stream_pb2.AbandonConnection(connection_id=6, boot_id="boot-1"))
    await answer
    assert opening.hello is not None
    assert not opening.hello.wait.abandoned


async def test_a_refusal_is_counted_by_its_reason(face: SessionFace, opening: Opening, metrics: Metrics) -> None:
    opening.error = ImError(error_table.KICKED)
    with pytest.raises(ImError):
        await face.open(GATEWAY, stream_pb2.OpenConnection())
    assert 'im_logic_hellos_total{credential="none",outcome="KICKED"} 1.0' in metrics.render().decode()


async def test_a_closed_connection_leaves_no_route(face: SessionFace, connections: Connections) -> None:
    key = ConnectionKey("gateway-1", "boot-1", 6)
    await connections.change(1, lambda _: [LiveConnection(key, 2, "device-01", "tab", 4)])
    caller = stream_pb2.Caller(user_id=1, connection_id=6, gateway_id="gateway-1")
    assert await face.close(stream_pb2.CloseConnection(caller=caller, boot_id="boot-1")) == b""
    assert await connections.find(1) == []
