"""What a history measured: pure functions of times and counts, none of them a promise by itself."""

import math
from typing import Final

from tests.harness.checkers import History
from tests.harness.history import of_kind

PROMPT_S: Final = 1.0
"""What is answered and shown within this came without a delay worth telling."""


def delays(history: History, device: str) -> list[float]:
    """Seconds from when a device could have a message (acked, and the server was up) until it was shown there."""
    shown = {(one.conversation_id, one.seq): one.at for one in of_kind(history, "shown") if one.device == device}
    outages: list[tuple[float, float]] = []
    for one in history:
        if one.kind == "broken":
            outages.append((one.at, float("inf")))
        elif one.kind == "healed" and outages:
            outages[-1] = (outages[-1][0], one.at)
    found = []
    for ack in of_kind(history, "send_ok"):
        at = shown.get((ack.conversation_id, ack.seq))
        if at is not None:
            healed = max((end for begin, end in outages if begin <= at and end >= ack.at and end < at), default=ack.at)
            found.append(max(0.0, at - max(ack.at, healed)))
    return found


def up_s(history: History) -> float:
    """Seconds between the first try of a message and the last ack in which the server was up."""
    began = next(iter(of_kind(history, "send_invoke"))).at
    ended = max(one.at for one in of_kind(history, "send_ok"))
    down, broken = 0.0, began
    for one in history:
        if one.kind == "broken":
            broken = one.at
        elif one.kind == "healed":
            down += one.at - broken
    return ended - began - down


def recovery_times(history: History) -> list[float]:
    """Seconds from each `healed` to the first ack after it."""
    times: list[float] = []
    healed: float | None = None
    for one in history:
        if one.kind == "healed":
            healed = one.at
        elif one.kind == "broken":
            healed = None
        elif one.kind == "send_ok" and healed is not None:
            times.append(one.at - healed)
            healed = None
    return times


def kills_with_unknown(history: History) -> int:
    """After how many kills some sender did not know what became of a message."""
    kills = 0
    counted = True
    for one in history:
        if one.kind == "broken":
            counted = False
        elif one.kind == "send_unknown" and not counted:
            counted = True
            kills += 1
    return kills


def recovery_s(history: History, *, healed: float, end: float = math.inf, prompt_s: float = PROMPT_S) -> float:
    """Seconds from a heal until all was as before: everybody connected, and nothing answered or shown late.

    Args:
        history: of the run.
        healed: when.
        end: what was due, acked or lost its connection after this has another reason.
        prompt_s: what is under way for no longer than this is not late.
    """
    lates = [one.at for one in of_kind(history, "connected") if one.at < end]
    lates += [acked for due, acked in _waits(history) if due < end and acked - due > prompt_s]
    acked_at = {(one.conversation_id, one.seq): one.at for one in of_kind(history, "send_ok")}
    for one in of_kind(history, "shown"):
        acked = acked_at.get((one.conversation_id, one.seq), one.at)
        if acked < end and one.at - acked > prompt_s:
            lates.append(one.at)
    return max([0.0, *(late - healed for late in lates)])


def shown_s(history: History, *, healed: float, end: float = math.inf) -> float:
    """The longest that anybody online waited for what was acked before the end; from the heal, if that came later."""
    acked_at = {(one.conversation_id, one.seq): one.at for one in of_kind(history, "send_ok")}
    waits = [
        one.at - max(acked_at.get((one.conversation_id, one.seq), one.at), healed)
        for one in of_kind(history, "shown")
        if acked_at.get((one.conversation_id, one.seq), one.at) < end
    ]
    return max([0.0, *waits])


def away_s(history: History, *, begin: float = 0.0, end: float = math.inf) -> list[float]:
    """Ascending, the seconds for which each client was away that lost its connection in a span; for ever, if it is still."""
    since: dict[str, float] = {}
    found = []
    for one in history:
        if one.kind == "disconnected" and begin <= one.at < end:
            since.setdefault(one.device, one.at)
        elif one.kind == "connected" and one.device in since:
            found.append(one.at - since.pop(one.device))
    return sorted([*found, *(math.inf for _ in since)])


def answer_times(history: History, *, begin: float = 0.0, end: float = math.inf) -> list[float]:
    """Ascending, the seconds to the acks of the messages due in a span; for ever, if there was none."""
    return sorted(acked - due for due, acked in _waits(history) if begin <= due < end)


def answered_share(history: History, *, begin: float, end: float, within_s: float) -> float:
    """Of the messages due in a span, the share that was acked in time; 1 where there were none."""
    times = answer_times(history, begin=begin, end=end)
    return sum(seconds <= within_s for seconds in times) / len(times) if times else 1.0


def quantile(ascending: "list[float]", share: float) -> float:
    """The value that a share of all does not exceed; 0 of nothing."""
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))] if ascending else 0.0


def _waits(history: History) -> list[tuple[float, float]]:
    """When each message was due, and when it was acked; for ever, if it was not.

    It is due when it was offered, but not before the one ahead of it in its conversation was answered: a client has one
    message of a conversation under way, so that one slow answer would else be counted for all behind it.
    """
    acked: dict[tuple[int, str], float] = {}
    for one in of_kind(history, "send_ok"):
        acked.setdefault((one.conversation_id, one.key), one.at)
    free: dict[tuple[int, str], float] = {}
    found = []
    for one in of_kind(history, "offered"):
        lane = (one.conversation_id, one.device)
        at = acked.get((one.conversation_id, one.key), math.inf)
        found.append((max(one.at, free.get(lane, 0.0)), at))
        free[lane] = at
    return [(due, at) for due, at in found if due < math.inf]
