"""What Redis does in one step: its scripts, called by their hash."""

import hashlib
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Script:
    """A script over one key."""

    text: str
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", hashlib.sha1(self.text.encode()).hexdigest())  # noqa: S324 - Redis's own name for it

    def by_digest(self, key: bytes, *arguments: bytes | int) -> tuple[bytes | int | str, ...]:
        """The command for a server that knows it."""
        return ("EVALSHA", self.digest, 1, key, *arguments)

    def by_text(self, key: bytes, *arguments: bytes | int) -> tuple[bytes | int | str, ...]:
        """The command for a server that does not (it was restarted); it knows it from then on."""
        return ("EVAL", self.text, 1, key, *arguments)


COMPARE_AND_SET: Final = Script(
    """
local held = redis.call('GET', KEYS[1])
if ARGV[1] == '1' then
  if held ~= ARGV[2] then return 0 end
elseif held then
  return 0
end
if ARGV[3] == '1' then
  redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])
else
  redis.call('DEL', KEYS[1])
end
return 1
"""
)
"""ARGV: whether a value is expected, it; whether there is a new one, it, its milliseconds to live. Answers 1 or 0."""

INCREMENT: Final = Script(
    """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count
"""
)
"""ARGV: the milliseconds to live, from the first on. Answers the count."""
