"""W3C's `traceparent`, and the 24 bytes by which a span is known between our own processes. Rules only.

Only sampled spans are told of anywhere, so the bytes have no flags.
"""

import re
from typing import Final

HEADER: Final = "traceparent"
"""What the header is called, over HTTP and on the bus."""
CONTEXT_BYTES: Final = 24
_TRACE_ID_BYTES: Final = 16
_FORM: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_SAMPLED: Final = 1


def read(traceparent: str) -> bytes:
    """The span of a traceparent; empty where it is not sampled, or is none."""
    found = _FORM.fullmatch(traceparent)
    if found is None:
        return b""
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or not int(flags, 16) & _SAMPLED:
        return b""
    context = bytes.fromhex(trace_id + span_id)
    return context if is_whole(context) else b""


def write(context: bytes) -> str:
    """The traceparent of a span."""
    return f"00-{trace_id(context)}-{span_id(context)}-01"


def is_whole(context: bytes) -> bool:
    """Whether these bytes stand for a span: both ids are there, and neither is zero."""
    return len(context) == CONTEXT_BYTES and any(context[:_TRACE_ID_BYTES]) and any(context[_TRACE_ID_BYTES:])


def trace_id(context: bytes) -> str:
    """The trace's id in hexadecimal."""
    return context[:_TRACE_ID_BYTES].hex()


def span_id(context: bytes) -> str:
    """The span's own id in hexadecimal."""
    return context[_TRACE_ID_BYTES:].hex()
