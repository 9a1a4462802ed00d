"""The SDK installs alone: its wheel carries the package and the public contract, and works in an empty environment."""

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DEPENDENCIES = ("google", "websockets")
USE = """
import asyncio, sys
import im_sdk, im_sdk.machine
from im_proto.v1 import frame_pb2
assert im_sdk.__file__.startswith(sys.argv[1]), im_sdk.__file__
assert not [name for name in sys.modules if name.split(".")[0].startswith("im_") and name.split(".")[0] not in {"im_sdk", "im_proto"}]
async def main():
    async with im_sdk.Client("http://127.0.0.1:1") as client:
        try:
            await client.connect()
        except im_sdk.DeniedError as error:
            print(error.name)
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT / "im_sdk", check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_it_carries_the_package_and_the_public_contract_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    folders = {name.rpartition("/")[0] for name in names}
    assert folders == {"im_sdk", "im_sdk/_store", "im_proto", "im_proto/v1", "im_sdk-0.1.0.dist-info"}
    assert {Path(name).suffix for name in names if not name.startswith("im_sdk-")} == {".py", ".pyi", ".typed"}
    metadata = zipfile.ZipFile(wheel).read("im_sdk-0.1.0.dist-info/METADATA").decode()
    needs = [line.split(": ")[1] for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    assert sorted(need.split(">")[0] for need in needs) == ["protobuf", "websockets"]


def test_it_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    """Only protobuf and websockets are lent to it, so nothing is fetched."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    packages = next((tmp_path / "venv").glob("lib/python*/site-packages"))
    python = tmp_path / "venv/bin/python"
    uv = Path(sysconfig.get_path("scripts")) / "uv"
    install = [uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel]
    subprocess.run(install, check=True, env={"UV_CACHE_DIR": str(tmp_path / "cache")})
    lender = Path(sysconfig.get_path("purelib"))
    for name in DEPENDENCIES:
        (packages / name).symlink_to(lender / name)
    done = subprocess.run([python, "-I", "-c", USE, str(packages)], check=True, capture_output=True, text=True)
    assert done.stdout == "UNAUTHENTICATED\n"
