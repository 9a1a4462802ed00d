"""When a silent, lagging or stale connection ends: rules only."""

from dataclasses import dataclass

from im_infra.error_table import CloseCode


@dataclass(frozen=True, slots=True)
class DeadlineRules:
    """How long a connection may be what it is, in seconds."""

    hello_timeout_s: float
    silence_timeout_s: float
    token_grace_s: float
    lagged_timeout_s: float


@dataclass(frozen=True, slots=True)
class Vitals:
    """What the rules look at; monotonic seconds."""

    opened_at: float
    heard_at: float
    said_hello: bool
    token_expires_at: float | None
    lagged_at: float | None


def end_due(vitals: Vitals, now: float, rules: DeadlineRules) -> CloseCode | None:
    """Why the connection has to end now, if it has to."""
    if not vitals.said_hello:
        return CloseCode.HELLO_TIMEOUT if now >= vitals.opened_at + rules.hello_timeout_s else None
    if vitals.lagged_at is not None and now >= vitals.lagged_at + rules.lagged_timeout_s:
        return CloseCode.SLOW_READER
    if vitals.token_expires_at is not None and now >= vitals.token_expires_at + rules.token_grace_s:
        return CloseCode.TOKEN_STALE
    if now >= vitals.heard_at + rules.silence_timeout_s:
        return CloseCode.HEARTBEAT_MISSED
    return None


def next_look(vitals: Vitals, rules: DeadlineRules) -> float:
    """When to ask `end_due` again, monotonic seconds."""
    if not vitals.said_hello:
        return vitals.opened_at + rules.hello_timeout_s
    due = vitals.heard_at + rules.silence_timeout_s
    if vitals.token_expires_at is not None:
        due = min(due, vitals.token_expires_at + rules.token_grace_s)
    if vitals.lagged_at is not None:
        due = min(due, vitals.lagged_at + rules.lagged_timeout_s)
    return due
