"""Whom a person who asks for their place back displaces among the sessions of the account. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """A live session that has its place."""

    session_id: int
    device_class: int
    seen_time: int


def displaced_by(returning: Standing, others: Sequence[Standing], *, limit: int) -> list[int]:
    """The sessions that lose their place: of the same class, those seen longest ago, beyond the limit.

    Connected or not: a device that is away now must not throw the returned one out when it comes by itself.

    Args:
        returning: the session that takes its place back.
        others: the account's other sessions that have a place.
        limit: sessions of the class; 0: no limit.
    """
    if limit <= 0:
        return []
    rivals = [
        other
        for other in others
        if other.device_class == returning.device_class and other.session_id != returning.session_id
    ]
    rivals.sort(key=lambda rival: (rival.seen_time, rival.session_id), reverse=True)
    return [rival.session_id for rival in rivals[limit - 1 :]]
