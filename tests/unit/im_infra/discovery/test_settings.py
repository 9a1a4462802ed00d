from im_infra.discovery.settings import DiscoverySettings
from im_infra.settings import load


def test_nodes_come_from_one_variable() -> None:
    environment = {"IM_NODES": "logic/l1@h:1, repo/r1@h:2"}
    assert load(DiscoverySettings, toml=None, environment=environment).nodes == ("logic/l1@h:1", "repo/r1@h:2")
