"""The image: its steps carried out in a plain folder, and what comes out of them used."""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.integration.deploy.dockerfile import Stage, replay

ROOT = Path(__file__).parents[3]
DOCKERFILE = ROOT / "deploy/docker/Dockerfile"
READY_S = 60.0


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Built once: the locked dependencies are installed anew, which takes about a minute."""
    return replay(DOCKERFILE, ROOT, tmp_path_factory.mktemp("image"))


def nobody() -> int | None:
    """Another user to run as, where we may change and the interpreter is everybody's: the image's user has no right."""
    python = Path(sys.base_prefix).resolve()
    is_everybodys = all(folder.stat().st_mode & 0o001 for folder in (python, *python.parents))
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 and is_everybodys else None


def test_the_dockerfile_is_clean() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.timeout(600)
def test_the_image_holds_everything_that_the_command_needs(image: Stage, tmp_path: Path) -> None:
    """Installed without the source tree beside it, run as its unprivileged user, the default command serves."""
    assert image.user not in {"root", "0"}
    data = Path("/tmp") / f"im-image-{os.getpid()}"  # not below pytest's own folder, which only its owner may enter
    data.mkdir()
    environment = {
        **{name: value for name, value in image.environment.items() if name.startswith(("IM_", "PYTHON"))},
        "PATH": "/usr/bin:/bin",
        "IM_DATA_DIR": str(data / "data"),
        "IM_GATEWAY__PUBLIC__HOST": "127.0.0.1",
    }
    environment |= {"IM_GATEWAY__PUBLIC__PORT": "0", "IM_INTERNAL__PORT": "0"}
    announce = data / "ready.json"
    installed = image.path("/opt/im").resolve()
    shutil.copytree(installed, data / "im", symlinks=True)
    command = [str(data / "im/bin/python"), "-m", "im_cli.main", *image.command, "--announce", str(announce)]
    user = nobody()
    if user is not None:
        os.chown(data, user, -1)
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=data, stdout=log, stderr=log, user=user)
    try:
        deadline = time.monotonic() + READY_S
        while not announce.exists():
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        told = json.loads(announce.read_text())
        with urllib.request.urlopen(f"{told['internal_url']}/readyz", timeout=5) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(data)
