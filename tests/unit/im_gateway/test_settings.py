"""The settings tree."""

from im_gateway.settings import GatewaySettings
from im_infra.settings import describe, load


def test_every_setting_is_described_and_loads_by_its_variable() -> None:
    docs = {doc.key: doc for doc in describe(GatewaySettings)}
    assert "connections.max_frame_bytes" in docs
    settings = load(GatewaySettings, toml=None, environment={docs["public.port"].environment: "0"})
    assert settings.public.port == 0


def test_defaults_are_the_documented_limits() -> None:
    settings = GatewaySettings()
    assert (settings.connections.max_frame_bytes, settings.connections.max_hello_bytes) == (65_536, 4096)
    assert (settings.connections.max_queued_pushes, settings.connections.max_queued_push_bytes) == (512, 262_144)
    assert (settings.limits.handshakes_per_s, settings.limits.handshake_burst) == (500, 1000)
    assert (settings.limits.sends_per_user_per_s, settings.limits.send_burst_per_user) == (30, 60)
    assert (settings.connections.silence_timeout_s, settings.connections.lagged_timeout_s) == (110, 10)
