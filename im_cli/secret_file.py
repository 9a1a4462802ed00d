"""The file with a cluster's secrets.

Mode 0600: the keys that sign access tokens, by key id, which one signs now, and the key that refresh tokens are derived
with. The embedded mode makes its own in the data folder on its first start; elsewhere `im keys make` writes it, and every
process of the cluster is given the same.
"""

import itertools
import json
import os
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self

from im_cli.exit_code import CommandError, ExitCode

KEY_BYTES: Final = 32
"""HS256 wants at least as many bits as its hash has (RFC 7518 § 3.2)."""
SIGNS_AFTER: Final = timedelta(minutes=2)
"""A new key verifies as soon as a process has read it, and signs only so long after it was made: by then all have, on
whatever way the file reaches them."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs access tokens."""

    key_id: str
    secret: str
    created_time: str
    """ISO 8601, for people."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """All secrets of a cluster."""

    signing_keys: tuple[SigningKey, ...]
    """In the order they were made; all verify."""
    refresh_secret: str

    @property
    def newest(self) -> SigningKey:
        """The key that signs, or is about to."""
        return self.signing_keys[-1]

    def signing(self, now: datetime) -> SigningKey:
        """The key that signs at this moment: the newest that everybody knows, or the only one."""
        known = [key for key in self.signing_keys if now - datetime.fromisoformat(key.created_time) >= SIGNS_AFTER]
        return known[-1] if known else self.signing_keys[0]

    @classmethod
    def make(cls, now: datetime) -> Self:
        """Fresh secrets."""
        return cls(signing_keys=(_new_key(now),), refresh_secret=secrets.token_urlsafe(KEY_BYTES))

    def rotated(self, now: datetime, *, keep_for: timedelta) -> Self:
        """With a new signing key; keys whose successor is older than `keep_for` go."""
        keys = (*self.signing_keys, _new_key(now))
        kept = tuple(
            key
            for key, successor in itertools.pairwise(keys)
            if now - datetime.fromisoformat(successor.created_time) < keep_for
        )
        return replace(self, signing_keys=(*kept, keys[-1]))


def load_or_make(path: Path) -> Secrets:
    """Read the file, or make it on the first start.

    Raises:
        CommandError: STORAGE when it cannot be read, written or understood, or others may read it.
    """
    if not path.exists():
        made = Secrets.make(datetime.now(UTC))
        save(path, made)
        return made
    return read(path)


def read(path: Path) -> Secrets:
    """Read the file.

    Raises:
        CommandError: STORAGE when it cannot be read or understood, or others may read it.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise CommandError(
                f"others may read {path}", code=ExitCode.STORAGE, advice=f"chmod 600 {path}, then `im keys rotate`"
            )
        raw = json.loads(path.read_text(encoding="utf-8"))
        return Secrets(
            signing_keys=tuple(SigningKey(**key) for key in raw["signing_keys"]), refresh_secret=raw["refresh_secret"]
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandError(
            f"{path} cannot be read: {error}",
            code=ExitCode.STORAGE,
            advice="restore it from a backup; without it everybody has to log in again (remove the file to start anew)",
        ) from error


def save(path: Path, value: Secrets) -> None:
    """Write the file whole or not at all, mode 0600.

    Raises:
        CommandError: STORAGE when it cannot be written.
    """
    raw = {
        "signing_keys": [
            {"key_id": key.key_id, "secret": key.secret, "created_time": key.created_time} for key in value.signing_keys
        ],
        "refresh_secret": value.refresh_secret,
    }
    fresh = path.with_suffix(".new")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(raw, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}", code=ExitCode.STORAGE) from error


def _new_key(now: datetime) -> SigningKey:
    return SigningKey(
        key_id=f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(2)}",
        secret=secrets.token_urlsafe(KEY_BYTES),
        created_time=now.isoformat(timespec="seconds"),
    )
