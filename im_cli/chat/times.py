"""Times as people say them. Arguments are milliseconds since the epoch; `zone` None is the machine's own."""

from datetime import UTC, date, datetime, tzinfo


def clock(time_ms: int, zone: tzinfo | None) -> str:
    """The time of day: 14:02."""
    return _local(time_ms, zone).strftime("%H:%M")


def day(time_ms: int, zone: tzinfo | None) -> date:
    """The day it falls on."""
    return _local(time_ms, zone).date()


def in_list(time_ms: int, now_ms: int, zone: tzinfo | None) -> str:
    """In few cells: 14:02, Yesterday, Mon, 3 Mar, Mar 2024."""
    that, today = _local(time_ms, zone), _local(now_ms, zone).date()
    days = (today - that.date()).days
    if days <= 0:
        return that.strftime("%H:%M")
    if days == 1:
        return "Yesterday"
    if days < 7:
        return that.strftime("%a")
    if that.year == today.year:
        return f"{that.day} {that:%b}"
    return that.strftime("%b %Y")


def day_title(time_ms: int, now_ms: int, zone: tzinfo | None) -> str:
    """On a divider: Today, Yesterday, Monday 3 March, 3 March 2024."""
    that, today = _local(time_ms, zone).date(), _local(now_ms, zone).date()
    days = (today - that).days
    if days == 0:
        return "Today"
    if days == 1:
        return "Yesterday"
    if that.year == today.year:
        return f"{that:%A} {that.day} {that:%B}"
    return f"{that.day} {that:%B} {that.year}"


def seconds(count: float) -> str:
    """A short wait: now, 1 second, 7 seconds, 2 minutes."""
    whole = round(count)
    if whole <= 0:
        return "a moment"
    if whole < 60:
        return f"{whole} second{'s' if whole != 1 else ''}"
    minutes = round(whole / 60)
    return f"{minutes} minute{'s' if minutes != 1 else ''}"


def _local(time_ms: int, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(zone)
