from im_infra.contract.command import command_head
from im_infra.rpc.peer import Peer
from im_logic.asker import Asker, Origin
from im_logic.askers import Askers
from im_proto.logic.v1.stream_pb2 import Caller

GATEWAY = Peer("gateway-1", "boot-1")


def head(connection_id: int, *, exempt: bool = False) -> bytes:
    return command_head(Caller(user_id=5, user_kind=2, connection_id=connection_id, exempt=exempt))


def test_a_head_says_who_asks() -> None:
    asker = Askers().of(GATEWAY, head(7, exempt=True))
    assert asker == Asker(5, 2, Origin("gateway-1", "boot-1", 7), exempt=True)


def test_it_is_read_once_per_connection_and_gateway() -> None:
    askers = Askers()
    first = askers.of(GATEWAY, head(7))
    assert askers.of(GATEWAY, head(7)) is first
    assert askers.of(GATEWAY, head(8)).origin.connection_id == 8
    assert askers.of(Peer("gateway-1", "boot-2"), head(7)).origin.boot_id == "boot-2"


def test_more_than_it_keeps_are_read_again() -> None:
    askers = Askers(max_known=2)
    first = askers.of(GATEWAY, head(1))
    for connection_id in (2, 3):
        askers.of(GATEWAY, head(connection_id))
    again = askers.of(GATEWAY, head(1))
    assert again == first
    assert again is not first
