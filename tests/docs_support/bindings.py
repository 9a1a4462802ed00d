"""What stands for what: a page shows the values of the run that was printed, a replay has its own.

Values that differ from run to run are bound when they are first seen, and must stay what they are from then on: numbers
of 13 digits and more (ids, times), UUIDs, resume tokens, and any string that was shortened with `…`. A bare `…` is
anything. All else must be as printed.
"""

import json
import re
import secrets
import time
from typing import Any

from im_infra.ids.uuid7 import uuid7

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_NUMBER = re.compile(r"\d{13,}")
_MORE = re.compile(r"([{\[,])\s*…\s*(?=[}\]])")
_REST = "…"


class Bindings:
    """The values of one replay."""

    def __init__(self, **known: str) -> None:
        self._values: dict[str, str] = dict(known)

    def bind(self, printed: str, real: str) -> None:
        """Let `printed` stand for `real`."""
        self._values[printed] = real

    def real(self, text: str) -> str:
        """`text` with what is bound put in; UUIDs that are new here are made."""
        for uuid in _UUID.findall(text):
            if uuid not in self._values:
                self._values[uuid] = str(uuid7(int(time.time() * 1000), secrets.token_bytes(10)))
        for printed in sorted(self._values, key=len, reverse=True):
            text = text.replace(printed, self._values[printed])
        return text

    def matches(self, printed: Any, real: Any) -> bool:
        """Whether a real JSON value is the printed one; nothing is bound unless all of it is."""
        found: dict[str, str] = {}
        if not self._matches(printed, real, found):
            return False
        self._values.update(found)
        return True

    def _matches(self, printed: Any, real: Any, found: dict[str, str]) -> bool:
        if isinstance(printed, dict) and isinstance(real, dict):
            told = printed.keys() - {_REST}
            complete = told <= real.keys() if _REST in printed else told == real.keys()
            return complete and all(self._matches(printed[key], real[key], found) for key in told)
        if isinstance(printed, list) and isinstance(real, list):
            if printed and printed[-1] == _REST:
                printed = printed[:-1]
                real = real[: len(printed)]
            pairs = zip(printed, real, strict=False)
            return len(printed) == len(real) and all(self._matches(one, other, found) for one, other in pairs)
        if isinstance(printed, str) and isinstance(real, str):
            return self._text_matches(printed, real, found)
        return bool(printed == real)

    def _text_matches(self, printed: str, real: str, found: dict[str, str]) -> bool:
        if printed == _REST:
            return True
        known = found.get(printed, self._values.get(printed))
        if known is not None:
            return real == known
        volatile = _NUMBER.fullmatch(printed) and _NUMBER.fullmatch(real)
        volatile = volatile or (_UUID.fullmatch(printed) and _UUID.fullmatch(real))
        if volatile or _REST in printed:
            found[printed] = real
            return True
        return printed == real


def parse(text: str) -> Any:
    """JSON as it is printed: `{"a": 1, …}` has more fields, `[1, …]` more items."""
    return json.loads(_MORE.sub(_quoted, text))


def _quoted(match: re.Match[str]) -> str:
    # what closes it says whether it stands for fields or items
    closing = match.string[match.end()]
    return f"{match[1]}{json.dumps(_REST)}{':1' if closing == '}' else ''}"
