from im_infra.rpc.peer import Peer


def test_a_peer_is_its_own_key() -> None:
    assert {("logic-1", "a"): 1}[Peer(node_id="logic-1", boot_id="a")] == 1
