"""The gateway's settings tree."""

from pathlib import Path

from pydantic import Field, SecretStr

from im_infra.settings import Section


class TlsSettings(Section):
    """TLS on the public port; usually a proxy ends it instead."""

    certificate: Path | None = Field(None, description="PEM file with the certificate chain; unset: no TLS.")
    private_key: Path | None = Field(
        None, description="PEM file with the private key; unset: it is in the certificate's file."
    )
    reload_interval_s: float = Field(60.0, gt=0, description="Seconds between two looks whether the files changed.")


class PublicPortSettings(Section):
    """The one port for HTTP and WebSocket."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    backlog: int = Field(2048, ge=1, description="Connections that may wait to be accepted.")
    websocket_path: str = Field("/ws", description="Path of the WebSocket endpoint.")
    head_timeout_s: float = Field(5.0, gt=0, description="Seconds a client has to send a request's head.")
    max_head_bytes: int = Field(16_384, ge=1024, description="Bytes of a request's head.")
    body_timeout_s: float = Field(15.0, gt=0, description="Seconds a client has to send a request's body.")
    max_body_bytes: int = Field(262_144, ge=1024, description="Bytes of a request's body.")
    keep_alive_s: float = Field(30.0, gt=0, description="Seconds an idle HTTP connection stays open.")
    trusted_proxies: tuple[str, ...] = Field(
        (), description="Networks (CIDR) whose X-Forwarded-For and X-Forwarded-Proto count."
    )
    allowed_origins: tuple[str, ...] = Field(
        (), description="Origins besides the page's own that browsers may connect from; * allows all."
    )
    web_dir: Path | None = Field(None, description="Folder with the web client, served at /; unset: none.")
    tls: TlsSettings = Field(TlsSettings(), description="TLS on the public port.")


class ConnectionSettings(Section):
    """What one WebSocket connection may hold and how long it may be silent."""

    hello_timeout_s: float = Field(5.0, gt=0, description="Seconds until the first frame must have come.")
    max_hello_bytes: int = Field(4096, ge=512, description="Bytes before a good Hello.")
    max_frame_bytes: int = Field(65_536, ge=4096, description="Bytes of one WebSocket message.")
    max_text_bytes: int = Field(16_384, ge=1, description="Bytes of a text, told to clients; logic enforces it.")
    max_custom_bytes: int = Field(
        32_768, ge=1, description="Bytes of a custom body, told to clients; logic enforces it."
    )
    ping_interval_s: float = Field(45.0, gt=0, description="Seconds between two pings of a client, told in Hello.")
    silence_timeout_s: float = Field(110.0, gt=0, description="Seconds of silence after which a connection is dead.")
    token_grace_s: float = Field(60.0, ge=0, description="Seconds an expired access token still keeps its socket.")
    close_timeout_s: float = Field(5.0, gt=0, description="Seconds a client has to answer a close.")
    max_queued_pushes: int = Field(512, ge=1, description="Pushes waiting for a slow reader.")
    max_queued_push_bytes: int = Field(262_144, ge=4096, description="Bytes of pushes waiting for a slow reader.")
    max_queued_answer_bytes: int = Field(
        262_144, ge=4096, description="Bytes of waiting answers above which nothing more is read from the socket."
    )
    lagged_timeout_s: float = Field(10.0, gt=0, description="Seconds a lagging connection has to catch up.")
    max_open_requests: int = Field(256, ge=1, description="Requests of one connection without an answer yet.")
    request_timeout_s: float = Field(8.0, gt=0, description="Seconds a request may take behind the gateway.")
    freeze_every: int = Field(5000, ge=1, description="New connections after which the collector forgets the old ones.")


class LimitSettings(Section):
    """Token buckets; all per node."""

    handshakes_per_s: float = Field(500.0, gt=0, description="WebSocket handshakes per second and process.")
    handshake_burst: float = Field(1000.0, ge=1, description="Handshakes at once.")
    failed_handshakes_per_ip_per_s: float = Field(
        50.0, gt=0, description="Handshakes per second and address that do not end in a good Hello."
    )
    failed_handshake_burst_per_ip: float = Field(500.0, ge=1, description="Such handshakes at once.")
    logins_per_ip_per_s: float = Field(
        5.0, gt=0, description="Logins, registrations and guests per second and address."
    )
    login_burst_per_ip: float = Field(20.0, ge=1, description="Logins, registrations and guests at once.")
    sends_per_user_per_s: float = Field(30.0, gt=0, description="New messages per second and user.")
    send_burst_per_user: float = Field(60.0, ge=1, description="New messages at once.")
    operations_per_user_per_s: float = Field(20.0, gt=0, description="Other operations per second and user.")
    operation_burst_per_user: float = Field(100.0, ge=1, description="Other operations at once.")
    typing_interval_s: float = Field(3.0, gt=0, description="Seconds between two typing frames in a conversation.")
    exempt_networks: tuple[str, ...] = Field(
        (), description="Networks (CIDR) without per-address and per-user buckets, for load tests."
    )


class DeliverySettings(Section):
    """Local fan-out."""

    head_interval_s: float = Field(1.0, gt=0, description="Seconds between two head pushes on a connection.")
    ring_frames: int = Field(64, ge=1, description="Latest frames kept of a large conversation.")
    ring_bytes: int = Field(262_144, ge=1024, description="Bytes kept of a large conversation.")
    ring_total_bytes: int = Field(67_108_864, ge=1024, description="Bytes kept of all large conversations.")
    max_waiting_entries: int = Field(
        256,
        ge=1,
        description="Entries of a large conversation held while a gap is filled; over it clients are told to check.",
    )
    merge_from_per_s: float = Field(
        2000.0,
        gt=0,
        description="Deliveries of one large conversation a second from which its entries gather for 20 ms, and go in "
        "one write; from 5 times as many on for 100 ms, from 25 times for 250 ms.",
    )
    sweep_interval_s: float = Field(60.0, gt=0, description="Seconds between two renewals of routes and interests.")
    check_spread_s: float = Field(
        5.0, ge=0, description="Seconds at least over which checks are spread after a lost stream."
    )
    checks_per_s: float = Field(1000.0, gt=0, description="Checks sent per second after a lost stream.")


class DrainSettings(Section):
    """How a gateway stops."""

    connections_per_s: float = Field(200.0, gt=0, description="Connections that leave per second.")
    min_window_s: float = Field(30.0, ge=0, description="Seconds at least for leaving where another gateway lives.")
    max_window_s: float = Field(
        45.0, ge=0, description="Seconds at most for leaving, however many connections there are."
    )
    alone_window_s: float = Field(1.0, ge=0, description="Seconds at most for leaving where no other gateway lives.")
    flush_timeout_s: float = Field(1.0, ge=0, description="Seconds for the last bytes of all connections.")


class AuthSettings(Section):
    """Access tokens; the same keys as logic's."""

    keys: dict[str, SecretStr] = Field({}, description="Keys by kid; a token of any of them is taken.")
    leeway_s: float = Field(5.0, ge=0, description="Seconds the clocks of two nodes may differ.")
    session_cache_s: float = Field(1.0, ge=0, le=1.0, description="Seconds HTTP trusts a checked session.")


class GatewaySettings(Section):
    """Everything the gateway can be told."""

    public: PublicPortSettings = Field(PublicPortSettings(), description="The public port.")
    connections: ConnectionSettings = Field(ConnectionSettings(), description="One WebSocket connection.")
    limits: LimitSettings = Field(LimitSettings(), description="Token buckets.")
    delivery: DeliverySettings = Field(DeliverySettings(), description="Local fan-out.")
    drain: DrainSettings = Field(DrainSettings(), description="Stopping.")
    auth: AuthSettings = Field(AuthSettings(), description="Access tokens.")
