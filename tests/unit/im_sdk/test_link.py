"""The life of a connection, as a script of what happens and what the session asks for."""

from collections.abc import Callable

import pytest

from im_proto.v1 import frame_pb2, session_pb2
from im_sdk._commands import CloseSocket, OpenSocket, RefreshTokens
from im_sdk._credentials import AccessToken
from im_sdk._error_table import CloseCode, ErrorNumber
from im_sdk._errors import UnreachableError, from_table
from im_sdk._events import ConnectionState, ConnectionStateChanged, Kicked
from tests.sdk_support.device import Device
from tests.sdk_support.model_server import START_MS, ModelServer, error

MakeDevice = Callable[..., Device]


def states(device: Device) -> list[str]:
    return [event.state.value for event in device.of(ConnectionStateChanged)]


def last_hello(server: ModelServer) -> session_pb2.HelloRequest:
    return server.connections[-1].requests[0].hello


def test_the_way_in(server: ModelServer, device: MakeDevice) -> None:
    made = device().online()
    assert states(made) == ["connecting", "syncing", "online"]
    hello = last_hello(server)
    assert hello.access_token == "token-1"
    assert (hello.device_id, hello.instance_id) == ("device-1", "instance-1")
    assert hello.HasField("sync")


def test_a_reconnect_uses_the_resume_token_within_two_seconds(server: ModelServer, device: MakeDevice) -> None:
    made = device().online()
    made.drop()
    assert made.session.state is ConnectionState.WAITING
    assert made.session.deadline() - made.now <= 2
    made.sleep(2)
    assert made.session.state is ConnectionState.ONLINE
    assert last_hello(server).resume_token
    assert not last_hello(server).access_token


def test_a_refused_resume_token_falls_back_at_once(server: ModelServer, device: MakeDevice) -> None:
    made = device().online()
    server.resume_tokens.clear()
    made.drop()
    made.sleep(2)
    assert made.session.state is ConnectionState.ONLINE
    assert last_hello(server).access_token == "token-1"


def test_failed_tries_wait_longer_up_to_thirty_seconds(device: MakeDevice) -> None:
    made = device()
    made.reachable = False
    made.start()
    ceilings = [2, 4, 8, 16, 30, 30]
    for ceiling in ceilings:
        made.session.socket_failed(made.now, UnreachableError.because("no route"))
        made.pump()
        delay = made.session.deadline() - made.now
        assert 0 <= delay <= ceiling
        made.now = made.session.deadline()
        made.session.tick(made.now)
        made.pump()
    assert made.commands.count(OpenSocket()) == len(ceilings) + 1


@pytest.mark.parametrize("down_s", [0.5, 3, 8, 20])
def test_clients_are_back_soon_after_their_server_is(server: ModelServer, down_s: float) -> None:
    """Whatever they drew: none waits longer than two seconds, or than the server was down."""
    late = []
    for seed in range(200):
        made = Device(server, 1, seed=seed).online()
        made.reachable = False
        made.drop()
        began = made.now
        while made.now < began + down_s:
            made.now = min(made.session.deadline(), began + down_s)
            made.session.tick(made.now)
            made.pump()
            if made.session.state is ConnectionState.CONNECTING:
                made.session.socket_failed(made.now, UnreachableError.because("refused"))
                made.pump()
        made.reachable = True
        while made.session.state is not ConnectionState.ONLINE:
            made.now = made.session.deadline()
            made.session.tick(made.now)
            made.pump()
            made.settle()
        late.append(made.now - began - down_s)
    assert max(late) <= max(2.0, down_s)
    assert min(late) < max(2.0, down_s) / 4


def test_a_busy_server_is_given_the_time_it_asks_for(device: MakeDevice) -> None:
    made = device()
    made.start()
    busy = UnreachableError.because("HTTP status 503")
    busy.retry_after_ms = 9_000
    made.session.socket_failed(made.now, busy)
    assert made.session.deadline() >= made.now + 9


def test_a_final_refusal_of_the_handshake_ends_it(device: MakeDevice) -> None:
    made = device()
    made.reachable = False
    made.start()
    made.session.socket_failed(made.now, from_table(ErrorNumber.VERSION_UNSUPPORTED, "upgrade"))
    assert made.session.state is ConnectionState.CLOSED


def test_a_socket_that_does_not_open_is_given_up(device: MakeDevice) -> None:
    made = device()
    made.reachable = False
    made.start()
    made.sleep(10)
    assert CloseSocket() in made.commands
    assert made.session.state is ConnectionState.WAITING


def test_a_server_that_does_not_answer_hello_is_left(device: MakeDevice) -> None:
    made = device()
    made.start()
    made.server.connections[-1].outgoing.clear()
    made.sleep(10.1)
    assert CloseSocket() in made.commands


def test_an_expired_token_is_renewed_once(server: ModelServer, device: MakeDevice) -> None:
    server.valid_tokens = lambda token: token == "token-1-new"
    made = device(renewable=True).online()
    assert made.commands.count(RefreshTokens()) == 1
    made.session.tokens_refreshed(AccessToken("token-1-new", 0), made.now)
    made.pump()
    made.settle()
    assert made.session.state is ConnectionState.ONLINE


def test_a_token_that_is_refused_right_after_its_renewal_ends_it(server: ModelServer, device: MakeDevice) -> None:
    server.valid_tokens = lambda _token: False
    made = device(renewable=True).online()
    made.session.tokens_refreshed(AccessToken("token-1-new", 0), made.now)
    made.pump()
    made.settle()
    assert made.session.state is ConnectionState.CLOSED
    assert made.session.error is not None
    assert made.session.error.number == ErrorNumber.TOKEN_EXPIRED


def test_a_token_near_its_end_is_renewed_before_the_connection(device: MakeDevice) -> None:
    made = device(access=AccessToken("token-1", START_MS + 5_000), renewable=True)
    made.start()
    assert made.commands == [RefreshTokens()]
    assert made.session.state is ConnectionState.CONNECTING


def test_a_live_connection_gets_the_new_token(server: ModelServer, device: MakeDevice) -> None:
    made = device(access=AccessToken("token-1", START_MS + 900_000, START_MS), renewable=True).online()
    made.sleep(779)
    assert RefreshTokens() not in made.commands
    made.sleep(2)
    assert made.commands.count(RefreshTokens()) == 1
    made.session.tokens_refreshed(AccessToken("token-1-new", START_MS + 1_800_000), made.now)
    made.pump()
    assert [request.access_token for request in made.asked("refresh")] == ["token-1-new"]


def test_a_renewal_that_fails_for_now_is_tried_again(device: MakeDevice) -> None:
    made = device(access=AccessToken("token-1", START_MS + 900_000, START_MS), renewable=True).online()
    made.sleep(781)
    made.session.refresh_failed(UnreachableError.because("no route"), made.now)
    made.sleep(31)
    assert made.commands.count(RefreshTokens()) == 2
    assert made.session.state is ConnectionState.ONLINE


def test_a_reused_refresh_token_ends_the_session(device: MakeDevice) -> None:
    made = device(access=AccessToken("token-1", START_MS + 5_000), renewable=True)
    made.start()
    made.session.refresh_failed(from_table(ErrorNumber.REFRESH_REUSED, "reused"), made.now)
    assert made.session.state is ConnectionState.CLOSED


def test_a_stale_token_is_renewed_after_the_close(device: MakeDevice) -> None:
    made = device(renewable=True).online()
    made.drop(CloseCode.TOKEN_STALE)
    assert made.commands.count(RefreshTokens()) == 1


@pytest.mark.parametrize("code", [CloseCode.KICKED, CloseCode.SESSION_REVOKED, CloseCode.PROTOCOL_ERROR])
def test_a_final_close_is_not_answered_with_a_reconnect(device: MakeDevice, code: CloseCode) -> None:
    made = device().online()
    made.drop(code)
    made.sleep(1_000)
    assert made.session.state is ConnectionState.CLOSED
    assert [event.close_code for event in made.of(Kicked)] == [code]
    assert made.commands.count(OpenSocket()) == 1


def test_a_kick_is_followed_by_a_persons_act_only(server: ModelServer, device: MakeDevice) -> None:
    made = device().online()
    server.push(1, kick=session_pb2.Kick(close_code=CloseCode.KICKED, reason="the other phone"))
    made.settle()
    assert made.of(Kicked) == [Kicked(CloseCode.KICKED, "the other phone")]
    assert made.session.state is ConnectionState.CLOSED
    made.session.start(made.now, take_over=True)
    made.pump()
    made.settle()
    assert made.session.state is ConnectionState.ONLINE
    assert last_hello(server).take_over
    assert last_hello(server).access_token


def test_a_node_that_drains_is_left_at_a_random_moment(server: ModelServer, device: MakeDevice) -> None:
    made = device().online()
    server.push(1, go_away=session_pb2.GoAway(after_ms=30_000))
    made.settle()
    assert made.session.state is ConnectionState.ONLINE
    made.sleep(33)
    assert made.session.state is ConnectionState.ONLINE
    assert made.commands.count(OpenSocket()) == 2


def test_a_silent_connection_is_dead_after_110_s(device: MakeDevice) -> None:
    made = device().online()
    first = made.connection
    assert first is not None
    heard = made.now
    made.server.handlers["ping"] = lambda *_: None  # type: ignore[assignment,return-value]
    while made.connection is first:
        first.outgoing.clear()
        made.now = made.session.deadline()
        made.session.tick(made.now)
        made.pump()
    assert 110 <= made.now - heard <= 111


def test_pings_go_out_every_45_s_and_any_frame_keeps_the_connection(server: ModelServer, device: MakeDevice) -> None:
    made = device().online()
    made.sleep(1_000)
    pings = len(made.asked("ping"))
    assert 1_000 / 54 - 1 <= pings <= 1_000 / 36 + 1
    assert made.commands.count(OpenSocket()) == 1


def test_bytes_that_are_no_frame_break_the_connection(device: MakeDevice) -> None:
    made = device().online()
    made.session.received(b"\xff\xff\xff", made.now)
    made.pump()
    assert made.session.state is ConnectionState.WAITING


def test_what_an_old_socket_still_says_is_not_heard(server: ModelServer, device: MakeDevice) -> None:
    made = device().online()
    log = server.make({1, 2})
    made.settle()
    made.session.close(made.now)
    server.append(log, 2, "late")
    made.session.received(frame_pb2.ServerFrames().SerializeToString(), made.now)
    made.session.socket_closed(made.now, 1006)
    assert made.session.state is ConnectionState.CLOSED


def test_a_hello_refused_for_now_is_tried_again(server: ModelServer, device: MakeDevice) -> None:
    made = device()
    made.start()
    conn = server.connections[-1]
    conn.outgoing.clear()
    conn.outgoing.append(frame_pb2.ServerFrame(request_id=1, error=error(ErrorNumber.OVERLOADED, retry_after_ms=4_000)))
    made.settle()
    assert made.session.state is ConnectionState.WAITING
    assert made.session.deadline() >= made.now + 4


def test_nobody_logged_in(device: MakeDevice) -> None:
    made = device()
    made.session._link.credentials.access = None
    made.start()
    assert made.session.error is not None
    assert made.session.error.number == ErrorNumber.UNAUTHENTICATED
