import json

import pytest

from im_infra.discovery.abstract import Node
from im_infra.discovery.etcd.node_value import decode, encode

NODE = Node("gateway", "g1", "b1", "10.0.0.1:9000", "1.2.3", draining=True)


@pytest.mark.parametrize("leaving", [False, True])
def test_what_was_written_is_read(leaving: bool) -> None:
    assert decode(encode(NODE, leaving=leaving)) == (NODE, leaving)


def test_a_newer_nodes_further_fields_are_left_alone() -> None:
    raw = {**json.loads(encode(NODE)), "zone": "east"}
    assert decode(json.dumps(raw).encode()) == (NODE, False)


@pytest.mark.parametrize("value", [b"", b"\xff", b"[]", b"3", b"{}", b'{"service": "gateway"}'])
def test_what_is_no_node_is_told_apart(value: bytes) -> None:
    assert decode(value) is None
