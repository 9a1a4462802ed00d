import pytest

from im_cli.process.load_settings import OF_THE_COMMAND, load_settings


def test_variables_of_the_command_itself_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """`IM_CLUSTER_DIR=… im cluster up`: every process of the cluster inherits it."""
    for name in OF_THE_COMMAND | {"IM_CLUSTER_DIR"}:
        monkeypatch.setenv(name, "somewhere")
    monkeypatch.setenv("IM_RPC__NAME", "mine")
    assert load_settings(None, {}).rpc.name == "mine"
    assert load_settings(None, {}, variables={"IM_RPC__NAME": "theirs"}).rpc.name == "theirs"
