"""The compose file: valid, and every variable in it a setting of ours."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from im_cli.process.load_settings import OF_THE_COMMAND
from im_cli.process.settings import ProcessSettings
from im_infra.settings import load

ROOT = Path(__file__).parents[3]
COMPOSE = ROOT / "docker-compose.yml"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    parsed = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    found: dict[str, Any] = parsed["services"]
    return found


def ours(services: dict[str, Any]) -> dict[str, Any]:
    return {
        name: service for name, service in services.items() if service["image"] == "im-cluster" and name != "secrets"
    }


def test_compose_itself_takes_it() -> None:
    """`docker compose config`, or its predecessor, which Debian has."""
    command = next((words for words in (["docker", "compose"], ["docker-compose"]) if _works(words)), None)
    if command is None:
        pytest.skip("neither `docker compose` nor docker-compose is here")
    done = subprocess.run(
        [*command, "-f", str(COMPOSE), "config", "-q"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr


def test_every_variable_is_a_setting(services: dict[str, Any], tmp_path: Path) -> None:
    """A misspelt one would stop the process at its start; here it stops the test."""
    secret = tmp_path / "secret"
    secret.write_text("a password")
    for name, service in ours(services).items():
        environment = {
            key: str(secret) if key.endswith("PASSWORD_FILE") else str(value)
            for key, value in service["environment"].items()
            if key not in OF_THE_COMMAND
        }
        settings = load(ProcessSettings, toml=None, environment=environment)
        assert settings.is_distributed, name
        assert not settings.shares_memory, name
        assert settings.rpc.advertise == f"{name}:9000"
        assert settings.needs_database(service["command"][1:2]) is (settings.sql.kind == "mysql"), name


def test_there_are_two_of_each_with_names_of_their_own(services: dict[str, Any]) -> None:
    names = sorted(f"{service['command'][1]}-{service['command'][3]}" for service in ours(services).values())
    assert names == sorted(f"{service}-{letter}" for service in ("gateway", "logic", "repo", "task") for letter in "ab")
    assert names == sorted(ours(services))


def test_only_gateways_are_published_and_on_loopback(services: dict[str, Any]) -> None:
    for name, service in services.items():
        ports = service.get("ports", [])
        assert bool(ports) is name.startswith("gateway"), name
        assert all(port.startswith("127.0.0.1:") for port in ports)


def _works(command: list[str]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run([*command, "version"], capture_output=True, check=False).returncode == 0
