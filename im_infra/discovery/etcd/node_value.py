"""A node as etcd holds it: JSON, so that an operator can read it with etcdctl."""

import json
from dataclasses import asdict, fields
from typing import Final

from im_infra.discovery.abstract import Node

_LEAVING: Final = "leaving"


def encode(node: Node, *, leaving: bool = False) -> bytes:
    """The value; `leaving` says that its process ends, and that nobody need wait for it."""
    return json.dumps({**asdict(node), **({_LEAVING: True} if leaving else {})}).encode()


def decode(value: bytes) -> tuple[Node, bool] | None:
    """The node, and whether it leaves; None: it is not ours to understand. Fields that we do not know are left alone."""
    try:
        raw = json.loads(value)
        known = {field.name: raw[field.name] for field in fields(Node) if field.name in raw}
        return Node(**known), bool(raw.get(_LEAVING, False))
    except (ValueError, TypeError, AttributeError):
        return None
