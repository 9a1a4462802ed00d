"""What a history measured: pure functions of times and counts, none of them a promise by itself."""

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


def recovery_s(history: History, *, prompt_s: float = PROMPT_S) -> float:
    """Seconds from the last heal until all was as before: everybody connected, and nothing answered or shown late.

    Args:
        history: of a run with one fault.
        prompt_s: what is no longer under way than this is not late.
    """
    healed = max(one.at for one in of_kind(history, "healed"))
    lates = [one.at for one in of_kind(history, "connected")]
    offered: dict[tuple[int, str], float] = {}
    acked: dict[tuple[int, int], float] = {}
    for one in history:
        if one.kind == "offered":
            offered[one.conversation_id, one.key] = one.at
        elif one.kind == "send_ok":
            acked[one.conversation_id, one.seq] = one.at
            if one.at - offered[one.conversation_id, one.key] > prompt_s:
                lates.append(one.at)
    lates += [
        one.at
        for one in of_kind(history, "shown")
        if one.at - acked.get((one.conversation_id, one.seq), one.at) > prompt_s
    ]
    return max([0.0, *(late - healed for late in lates)])


def answered_share(history: History, *, within_s: float) -> float:
    """Of the messages offered while something was broken, the share that was acked in time; 1 where there were none."""
    (broken,), (healed,) = [[one.at for one in of_kind(history, kind)] for kind in ("broken", "healed")]
    acked = {(one.conversation_id, one.key): one.at for one in of_kind(history, "send_ok")}
    waits = [
        acked.get((one.conversation_id, one.key), float("inf")) - one.at
        for one in of_kind(history, "offered")
        if broken <= one.at < healed
    ]
    return sum(wait <= within_s for wait in waits) / len(waits) if waits else 1.0


def away_s(history: History) -> list[float]:
    """Ascending, the seconds for which each client was away each time; for ever, if it did not come back."""
    since: dict[str, float] = {}
    found = []
    for one in history:
        if one.kind == "disconnected":
            since.setdefault(one.device, one.at)
        elif one.kind == "connected" and one.device in since:
            found.append(one.at - since.pop(one.device))
    return sorted([*found, *(float("inf") for _ in since)])


def answer_times(history: History, *, begin: float = 0.0, end: float = float("inf")) -> list[float]:
    """Ascending, the seconds from each offer in a span of time to its ack; for ever, if there was none."""
    acked = {(one.conversation_id, one.key): one.at for one in of_kind(history, "send_ok")}
    return sorted(
        acked.get((one.conversation_id, one.key), float("inf")) - one.at
        for one in of_kind(history, "offered")
        if begin <= one.at < end
    )


def quantile(ascending: "list[float]", share: float) -> float:
    """The value that a share of all does not exceed; 0 of nothing."""
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))] if ascending else 0.0
