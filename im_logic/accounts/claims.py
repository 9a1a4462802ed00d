"""What a credential says about who comes: an access token's claims, or what a ticket or resume token stands for."""

import json
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Claims:
    """Who, on which session and installation, as of which generation."""

    user_id: int
    session_id: int
    generation: int
    user_kind: int
    device_id: str
    device_class: int
    expire_time: int
    """When a socket opened with them must show a new access token, milliseconds since the epoch."""

    def packed(self) -> bytes:
        """As it lies in the cache."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def unpacked(cls, data: bytes) -> Self:
        """What `packed` made."""
        return cls(**json.loads(data))
