"""The keys that access tokens are signed with, as a process holds them."""

from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import SecretStr

MIN_KEY_BYTES: Final = 32
"""HS256 and HMAC-SHA256 are as strong as their key up to the size of the hash: RFC 7518, section 3.2."""


class TokenKeys(Mapping[str, SecretStr]):
    """Keys by key id: each verifies, one signs. Gateway and logic of a process share it; a rotation replaces its content.

    Args:
        keys: at least one, each of at least 32 bytes.
        active: the key id that new tokens are signed with.

    Raises:
        ValueError: a key is too short, or `active` names none.
    """

    def __init__(self, keys: Mapping[str, SecretStr], *, active: str) -> None:
        self.replace(keys, active=active)

    def replace(self, keys: Mapping[str, SecretStr], *, active: str) -> None:
        """Go on with other keys, or another one that signs; raises as the constructor does, and changes nothing then."""
        short = sorted(kid for kid, key in keys.items() if len(key.get_secret_value().encode()) < MIN_KEY_BYTES)
        if short:
            raise ValueError(f"shorter than {MIN_KEY_BYTES} bytes: {', '.join(short)}")
        if active not in keys:
            raise ValueError("active names none of the keys")
        self._keys = dict(keys)
        self.active = active
        """The key id that signs."""

    def __getitem__(self, key_id: str) -> SecretStr:
        return self._keys[key_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)
