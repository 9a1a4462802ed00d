"""How long a service's process may take to end."""

from pathlib import Path

from im_cli.cluster.service import ServicePorts, service, stop_s
from im_cli.cluster.shape import Shape
from im_cli.process.load_settings import load_settings
from im_cli.process.settings import ProcessSettings
from im_gateway import drain


def test_a_gateway_may_drain_before_it_is_killed() -> None:
    settings = ProcessSettings()
    assert stop_s("gateway", settings) > drain.longest_s(settings.gateway.drain)
    assert stop_s("logic", settings) > settings.rpc.drain_timeout_s


def test_the_time_follows_from_the_settings_that_it_gets(tmp_path: Path) -> None:
    config = tmp_path / "cluster.toml"
    config.write_text("[rpc]\ndrain_timeout_s = 70\n", encoding="utf-8")
    variables = {"IM_GATEWAY__DRAIN__MIN_WINDOW_S": "90"}
    settings = load_settings(config, {}, variables=variables)
    for member in Shape().members():
        ports = ServicePorts(rpc=1, internal=2, public=3 if member.service == "gateway" else 0)
        made = service(member, folder=tmp_path, config=config, ports=ports, settings=variables)
        assert made.stop_s == stop_s(member.service, settings) > (90 if member.service == "gateway" else 70)
