"""Hatchling's build hook of the SDK's wheel: the package lies flat beside its pyproject.toml, the contract above it."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = {"examples", "__pycache__", "dist"}


class SdkWheel(BuildHookInterface[Any]):
    """Puts im_sdk and im_proto.v1 into the wheel, and nothing else."""

    def initialize(self, _version: str, build_data: dict[str, Any]) -> None:
        """Name the files."""
        files = [ROOT / "im_proto/__init__.py", *(ROOT / "im_proto/v1").glob("*.py*"), *self._package()]
        build_data["force_include"].update({str(file): str(file.relative_to(ROOT)) for file in files})

    def _package(self) -> list[Path]:
        package = ROOT / "im_sdk"
        modules = [file for file in package.rglob("*.py") if not LEFT_OUT & set(file.relative_to(package).parts)]
        return [*modules, package / "py.typed"]
