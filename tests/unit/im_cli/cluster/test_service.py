"""How long a service's process may take to end."""

from pathlib import Path

from im_cli.cluster.service import ServicePorts, service, stop_s
from im_cli.cluster.shape import SERVICES, Shape
from im_cli.process.load_settings import load_settings
from im_cli.process.settings import ProcessSettings
from im_gateway import drain


def test_a_gateway_may_drain_before_it_is_killed() -> None:
    settings = ProcessSettings()
    assert stop_s(["gateway"], settings) > drain.longest_s(settings.gateway.drain)
    assert stop_s(["logic"], settings) > settings.rpc.drain_timeout_s


def test_a_process_of_all_services_lets_its_clients_go_and_then_its_calls() -> None:
    settings = ProcessSettings()
    drains_s = drain.longest_s(settings.gateway.drain) + settings.rpc.drain_timeout_s
    assert stop_s(SERVICES, settings) > drains_s


def test_the_time_follows_from_the_settings_that_it_gets(tmp_path: Path) -> None:
    config = tmp_path / "cluster.toml"
    config.write_text("[rpc]\ndrain_timeout_s = 70\n", encoding="utf-8")
    variables = {"IM_GATEWAY__DRAIN__MIN_WINDOW_S": "90"}
    settings = load_settings(config, {}, variables=variables)
    for member in Shape().members():
        ports = ServicePorts(rpc=1, internal=2, public=3 if "gateway" in member.services else 0)
        made = service(member, folder=tmp_path, config=config, ports=ports, settings=variables)
        assert made.stop_s == stop_s(member.services, settings) > (90 if "gateway" in member.services else 70)
