"""Channels by address, and the servers they reach."""

from collections.abc import Mapping
from typing import Final

import grpc

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.rpc.credentials import Credentials
from im_infra.rpc.in_process import InProcessChannel, InProcessServer
from im_infra.rpc.settings import ChannelSettings

IN_PROCESS: Final = "in-process:"
"""An address that starts so names a service of this process."""

_Options = list[tuple[str, int | str]]


class Channels:
    """One channel per address, made when first asked for and kept until `close`.

    Args:
        in_process: the servers of this process by name; looked at anew each time, so that it may grow.
        settings: limits and keepalive.
        credentials: for TLS; None: none.
    """

    def __init__(
        self,
        in_process: Mapping[str, InProcessServer] | None = None,
        *,
        settings: ChannelSettings | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        self._in_process = {} if in_process is None else in_process
        self._options = _channel_options(settings or ChannelSettings())
        self._credentials = credentials
        self._channels: dict[str, grpc.aio.Channel] = {}

    def get(self, address: str) -> grpc.aio.Channel:
        """The channel to `host:port` or `in-process:NAME`; it connects by itself, now and again.

        Raises:
            ImError: UNAVAILABLE: this process has no such service.
        """
        channel = self._channels.get(address)
        if channel is None:
            channel = self._channels[address] = self._open(address)
        return channel

    def is_broken(self, address: str) -> bool:
        """The channel to it could not connect, or lost its connection and did not get another; it goes on trying."""
        channel = self._channels.get(address)
        if channel is None or address.startswith(IN_PROCESS):
            return False
        return channel.get_state(try_to_connect=True) is grpc.ChannelConnectivity.TRANSIENT_FAILURE

    async def close(self) -> None:
        """Close all; calls under way are cancelled."""
        channels, self._channels = self._channels, {}
        for channel in channels.values():
            await channel.close(None)

    def _open(self, address: str) -> grpc.aio.Channel:
        if not address.startswith(IN_PROCESS):
            return self._dial(address)
        name = address.removeprefix(IN_PROCESS)
        server = self._in_process.get(name)
        if server is None:
            raise ImError(error_table.UNAVAILABLE, f"this process does not serve {name}")
        return InProcessChannel(server)

    def _dial(self, address: str) -> grpc.aio.Channel:
        known = self._credentials
        if known is None:
            return grpc.aio.insecure_channel(address, options=self._options)
        options = [*self._options, ("grpc.ssl_target_name_override", known.server_name)]
        return grpc.aio.secure_channel(address, known.channel, options=options)


def create_server(settings: ChannelSettings | None = None) -> grpc.aio.Server:
    """A gRPC server for calls between services; `listen` binds it, inside the cluster's own network."""
    return grpc.aio.server(options=_server_options(settings or ChannelSettings()))


def listen(server: grpc.aio.Server, address: str, credentials: Credentials | None) -> int:
    """Bind a server that was not started yet; gives the port.

    Raises:
        OSError: the address cannot be had.
    """
    try:
        if credentials is None:
            return server.add_insecure_port(address)
        return server.add_secure_port(address, credentials.server)
    except RuntimeError as error:  # what gRPC raises
        raise OSError(f"{address} cannot be opened for other processes' calls") from error


def _channel_options(settings: ChannelSettings) -> _Options:
    return [
        *_common_options(settings),
        ("grpc.http2.max_pings_without_data", 0),  # a quiet stream is pinged for as long as it lives
        ("grpc.use_local_subchannel_pool", 1),  # a channel's connection is its own, and ends with it
        ("grpc.enable_retries", 0),  # retries are im_infra.rpc.retry's
        # gRPC's own pause between connects must not outlast a stream's (StreamSettings.reconnect_max_s).
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1_000),
    ]


def _server_options(settings: ChannelSettings) -> _Options:
    return [
        *_common_options(settings),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", int(settings.keepalive_time_s * 500)),
        ("grpc.http2.max_ping_strikes", 0),  # our own clients' pings are welcome
        ("grpc.so_reuseport", 0),  # two processes on one port are a mistake
    ]


def _common_options(settings: ChannelSettings) -> _Options:
    return [
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", settings.max_message_bytes),
        ("grpc.keepalive_time_ms", int(settings.keepalive_time_s * 1000)),
        ("grpc.keepalive_timeout_ms", int(settings.keepalive_timeout_s * 1000)),
        # A ping has a timeout of its own, a minute by default: a silent network would be noticed that late.
        ("grpc.http2.ping_timeout_ms", int(settings.keepalive_timeout_s * 1000)),
        ("grpc.keepalive_permit_without_calls", 1),
    ]
