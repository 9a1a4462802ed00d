"""`im status` and `im keys make`, as an operator runs them."""

import json
import stat
from pathlib import Path

from im_cli.exit_code import ExitCode
from tests.integration.im_cli.conftest import Im
from tests.support.cluster import Cluster


def test_an_embedded_cluster_tells_how_it_is(im: Im, cluster: Cluster) -> None:
    """Its one process, with every service, and what it stands on."""
    port = cluster.internal_url.rpartition(":")[2]
    shown = im("status", "--internal-port", port)
    assert shown.returncode == ExitCode.DONE, shown.stderr
    for words in ("gateway", "serving", "database", "connections"):
        assert words in shown.stdout
    told = json.loads(im("status", "--internal-port", port, "--json").stdout)
    assert told["healthy"]
    assert told["processes"][0]["status"]["services"] == ["repo", "logic", "task", "gateway"]


def test_nobody_there_is_unhealthy(im: Im) -> None:
    shown = im("status", "--internal-port", "1")
    assert shown.returncode == ExitCode.UNHEALTHY
    assert "127.0.0.1:1" in shown.stdout


def test_secrets_are_made_once_and_for_their_owner_only(im: Im, tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    assert im("keys", "make", str(file)).returncode == ExitCode.DONE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    held = file.read_text(encoding="utf-8")
    refused = im("keys", "make", str(file))
    assert refused.returncode == ExitCode.REFUSED
    assert "there already" in refused.stderr
    assert file.read_text(encoding="utf-8") == held
