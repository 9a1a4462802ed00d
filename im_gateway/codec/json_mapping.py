"""Protobuf's JSON mapping as we use it: snake_case, zero values written out, 64-bit integers as strings."""

import json
import re
from typing import Any, Final, TypeVar

from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import Message

M = TypeVar("M", bound=Message)
_MAX_DEPTH: Final = 32
"""Deeper than any message of ours; protobuf's own default would let a client nest 100."""
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
"""Half of a pair may be meant: JSON allows it, UTF-8 does not, and protobuf breaks on it even in an unknown key."""


class JsonInvalidError(ValueError):
    """The JSON does not say such a message; the text names the field where that is known."""


def to_json_value(message: Message) -> dict[str, Any]:
    """A message as what `json.dumps` takes."""
    value: dict[str, Any] = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return value


def to_json(message: Message) -> bytes:
    """A message as JSON in UTF-8."""
    return json.dumps(to_json_value(message), ensure_ascii=False, separators=(",", ":")).encode()


def parse_json(text: str | bytes) -> Any:  # noqa: ANN401 - whatever the client wrote
    """The value of a JSON text.

    Raises:
        JsonInvalidError: it is none in UTF-8, or nested too deeply.
    """
    try:
        said = text if isinstance(text, str) else text.decode()
        value = json.loads(said)
        if _SURROGATE.search(said):
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise JsonInvalidError("not JSON") from error
    return value


def from_json_value(value: Any, message: M) -> M:  # noqa: ANN401 - as above
    """Fill `message` from a JSON value; unknown fields are passed over, as in protobuf.

    Raises:
        JsonInvalidError: a field has the wrong type or range.
    """
    if not isinstance(value, dict):
        raise JsonInvalidError("an object is expected")
    try:
        ParseDict(value, message, ignore_unknown_fields=True, max_recursion_depth=_MAX_DEPTH)
    except (ParseError, ValueError, TypeError, OverflowError, RecursionError, AttributeError) as error:
        raise JsonInvalidError(str(error)[:200]) from error
    return message
