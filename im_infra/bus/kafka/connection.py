"""How clients reach the brokers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import KafkaError
from aiokafka.helpers import create_ssl_context

from im_infra import error_table
from im_infra.bus.settings import KafkaSettings
from im_infra.errors import ImError

FAILURES: Final = (KafkaError, OSError, TimeoutError)
"""What aiokafka raises when brokers do not answer, or do not answer well."""
_RETRY_AFTER_MS: Final = 1_000


def unavailable(error: BaseException | str) -> ImError:
    """What a failed request to Kafka means to us."""
    words = error if isinstance(error, str) else f"{type(error).__name__}: {error}".rstrip(": ")
    return ImError(error_table.UNAVAILABLE, f"kafka: {words}", retry_after_ms=_RETRY_AFTER_MS)


class Connection:
    """Addresses, TLS, names and passwords, as aiokafka's clients take them.

    Args:
        settings: where the brokers are, and who we are.
        node_id: this process, for the brokers' logs; may be empty.

    Raises:
        OSError: a certificate cannot be read.
    """

    def __init__(self, settings: KafkaSettings, node_id: str) -> None:
        tls, sasl = settings.tls, settings.sasl
        self._servers = settings.bootstrap_servers
        self._security: dict[str, Any] = {
            "security_protocol": ("SASL_" if sasl.mechanism != "none" else "") + ("SSL" if tls.enabled else "PLAINTEXT")
        }
        if tls.enabled:
            self._security["ssl_context"] = create_ssl_context(
                cafile=tls.ca, certfile=tls.certificate, keyfile=tls.private_key
            )
        if sasl.mechanism != "none":
            self._security |= {
                "sasl_mechanism": sasl.mechanism,
                "sasl_plain_username": sasl.username,
                "sasl_plain_password": sasl.password.get_secret_value(),
            }
        self._client_id = f"{settings.client_id}-{node_id}" if node_id else settings.client_id
        self._request_timeout_s = settings.request_timeout_s

    def options(self, *, request_timeout_s: float | None = None) -> dict[str, Any]:
        """The keyword arguments that all clients share.

        Args:
            request_timeout_s: seconds a request may take; the setting's by default.
        """
        return {
            "bootstrap_servers": list(self._servers),
            "client_id": self._client_id,
            "request_timeout_ms": round((request_timeout_s or self._request_timeout_s) * 1000),
            **self._security,
        }

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        """A client for what is done once in a while.

        Raises:
            KafkaError: no broker could be reached.
        """
        admin = AIOKafkaAdminClient(**self.options())
        try:
            await admin.start()
            yield admin
        finally:
            await admin.close()

    async def why_not(self) -> str:
        """Why the first broker cannot be reached: aiokafka tells its log alone. Empty: it can."""
        host, port, _ = collect_hosts(list(self._servers), randomize=False)[0]
        try:
            connection = await create_conn(
                host, port, client_id=self._client_id, request_timeout_ms=2_000, **self._security
            )
        except FAILURES as error:
            return f"{self._servers[0]}: {type(error).__name__}: {error}"
        connection.close()
        return ""
