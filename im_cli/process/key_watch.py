"""A running process follows the file with the cluster's secrets, so that a rotation needs no restart."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from im_cli.exit_code import CommandError
from im_cli.secret_file import Secrets, read
from im_infra.observability import logs
from im_infra.token_keys import TokenKeys

_LOG: Final = logs.get(__name__)

INTERVAL_S: Final = 2.0


def token_keys(secrets: Secrets, now: datetime) -> TokenKeys:
    """The keys of a file, for the services of a process."""
    return TokenKeys(_by_id(secrets), active=secrets.signing(now).key_id)


class KeyWatch:
    """Looks at the file every two seconds, and brings its keys to whoever signs and verifies.

    The refresh secret is for good: one that changed is told in the log, and takes effect with the next start.

    Args:
        path: the file.
        secrets: what it held at the start.
        keys: what the services hold.
    """

    def __init__(self, path: Path, secrets: Secrets, keys: TokenKeys) -> None:
        self._path = path
        self._secrets = secrets
        self._keys = keys
        self._complaint = ""

    async def run(self) -> None:
        """Follow the file until cancelled; while it cannot be read the present keys stay."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            await self.look(datetime.now(UTC))

    async def look(self, now: datetime) -> None:
        """Take what the file holds now; a new key signs once every process must have seen it."""
        try:
            found = await asyncio.to_thread(read, self._path)
            active = found.signing(now).key_id
            if found.signing_keys == self._secrets.signing_keys and active == self._keys.active:
                return
            self._keys.replace(_by_id(found), active=active)
        except (CommandError, ValueError) as error:
            self._complain(str(error))
            return
        _LOG.info("token keys changed", signs=active, keys=len(self._keys))
        if found.refresh_secret != self._secrets.refresh_secret:
            self._complain("the refresh secret changed: it takes effect with the next start")
        else:
            self._complaint = ""
        self._secrets = found

    def _complain(self, words: str) -> None:
        """Once, not every two seconds."""
        if words != self._complaint:
            self._complaint = words
            _LOG.warning("token keys not followed", reason=words)


def _by_id(secrets: Secrets) -> dict[str, SecretStr]:
    return {key.key_id: SecretStr(key.secret) for key in secrets.signing_keys}
