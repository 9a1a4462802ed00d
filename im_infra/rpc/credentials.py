"""What services show each other when they speak TLS."""

from dataclasses import dataclass
from typing import Self

import grpc

from im_infra.rpc.settings import RpcTlsSettings


@dataclass(frozen=True, slots=True)
class Credentials:
    """This process's certificate, for both sides of its calls; either side refuses a peer of another authority."""

    channel: grpc.ChannelCredentials
    server: grpc.ServerCredentials
    server_name: str
    """What every service's certificate is made out to, wherever it runs."""

    @classmethod
    def load(cls, settings: RpcTlsSettings) -> Self | None:
        """Read the files; None where there is no TLS.

        Raises:
            OSError: a file cannot be read.
        """
        if settings.ca is None or settings.certificate is None or settings.private_key is None:
            return None
        ca, chain, key = settings.ca.read_bytes(), settings.certificate.read_bytes(), settings.private_key.read_bytes()
        return cls(
            channel=grpc.ssl_channel_credentials(ca, key, chain),
            server=grpc.ssl_server_credentials([(key, chain)], ca, require_client_auth=True),
            server_name=settings.server_name,
        )
