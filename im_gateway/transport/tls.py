"""TLS on the public port, with files that may change while it runs."""

import asyncio
import ssl
from pathlib import Path
from typing import Final

from im_gateway.settings import TlsSettings
from im_infra.observability import logs

_LOG: Final = logs.get(__name__)


class TlsFiles:
    """A server context made from files; new connections get what the files said last.

    Args:
        settings: where the files are and how often to look.

    Raises:
        OSError: a file cannot be read.
        ssl.SSLError: a file is no certificate or key, or they do not belong together.
    """

    def __init__(self, settings: TlsSettings) -> None:
        assert settings.certificate is not None, "only made where TLS is on"
        self._certificate: Path = settings.certificate
        self._private_key: Path = settings.private_key or settings.certificate
        self._interval_s = settings.reload_interval_s
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        self._loaded = self._stamps()
        self._load(self.context)

    async def run(self) -> None:
        """Look at the files now and then, for ever. Cancelling is safe."""
        while True:
            await asyncio.sleep(self._interval_s)
            self.reload_if_changed()

    def reload_if_changed(self) -> bool:
        """Take the files anew if they changed; files that do not fit are reported and the old ones kept."""
        try:
            stamps = self._stamps()
            if stamps == self._loaded:
                return False
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))  # a half-written pair must not spoil the live context
            self._load(self.context)
        except (OSError, ssl.SSLError) as error:
            _LOG.warning("certificate not reloaded", certificate=str(self._certificate), error=str(error))
            return False
        self._loaded = stamps
        _LOG.info("certificate reloaded", certificate=str(self._certificate))
        return True

    def _load(self, context: ssl.SSLContext) -> None:
        context.load_cert_chain(self._certificate, self._private_key)

    def _stamps(self) -> tuple[tuple[int, int], ...]:
        found = (self._certificate.stat(), self._private_key.stat())
        return tuple((stat.st_mtime_ns, stat.st_size) for stat in found)
