"""A Dockerfile's steps, carried out in a plain folder: where there is no Docker daemon, they are proved all the same.

It knows what our Dockerfile uses. Paths of the image become paths below a folder; users and labels are remembered, and what
only root of an image may do (making users) is left out.
"""

import json
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

_ROOTED: Final = ("/opt/", "/src", "/data", "/secrets")
_ONLY_IN_AN_IMAGE: Final = ("groupadd", "useradd")


@dataclass
class Stage:
    """One stage of a build."""

    root: Path
    """What is `/` in the image."""
    workdir: str = "/"
    environment: dict[str, str] = field(default_factory=dict)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    user: str = "root"

    def path(self, inside: str) -> Path:
        """Where a path of the image lies here."""
        absolute = inside if inside.startswith("/") else f"{self.workdir}/{inside}"
        return self.root / absolute.lstrip("/")

    def translate(self, text: str) -> str:
        """The same words with the image's paths as paths here."""
        for prefix in _ROOTED:
            text = text.replace(f" {prefix}", f" {self.root}{prefix}").replace(f"={prefix}", f"={self.root}{prefix}")
        return text if not text.startswith(_ROOTED) else f"{self.root}{text}"


def replay(dockerfile: Path, context: Path, folder: Path) -> Stage:
    """Carry out every step; gives the last stage."""
    stages: dict[str, Stage] = {}
    stage = Stage(folder)
    ignored = _ignore_rules(context)
    for number, (word, rest) in enumerate(_steps(dockerfile)):
        match word:
            case "FROM":
                name = rest.partition(" AS ")[2] or f"stage-{number}"
                stage = stages[name] = Stage(folder / name)
                stage.root.mkdir()
            case "WORKDIR":
                stage.workdir = rest
                stage.path(rest).mkdir(parents=True, exist_ok=True)
            case "ENV":
                stage.environment |= dict(pair.split("=", 1) for pair in shlex.split(rest))
            case "USER":
                stage.user = rest
            case "COPY":
                _copy(stage, rest, context, stages, ignored)
            case "RUN":
                _run(stage, rest)
            case "ENTRYPOINT":
                stage.entrypoint = json.loads(rest)
            case "CMD":
                stage.command = json.loads(rest)
            case "LABEL" | "EXPOSE" | "VOLUME" | "HEALTHCHECK":
                pass
            case _:
                raise AssertionError(f"{word} is not replayed")
    return stage


def _steps(dockerfile: Path) -> list[tuple[str, str]]:
    text = dockerfile.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(word, " ".join(rest.split())) for word, _, rest in (line.partition(" ") for line in joined.splitlines())]


def _copy(stage: Stage, rest: str, context: Path, stages: dict[str, Stage], ignored: list[str]) -> None:
    words = rest.split()
    origin, root = (
        (stages[words[0].removeprefix("--from=")], words[1:]) if words[0].startswith("--from=") else (None, words)
    )
    source, target = root
    if origin is not None:
        # Programs of a virtual environment name its folder, so it is reached where it was made.
        stage.path(target).parent.mkdir(parents=True, exist_ok=True)
        stage.path(target).symlink_to(origin.path(source))
    elif source == ".":
        for path in context.iterdir():
            if any(fnmatch(path.name, rule) for rule in ignored) and path.name != "__pycache__":
                _copy_one(path, stage.path(target) / path.name)
    else:
        _copy_one(context / source, stage.path(target))


def _copy_one(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)


def _ignore_rules(context: Path) -> list[str]:
    """What `.dockerignore` lets in: ours begins with `*` and lists exceptions."""
    lines = (context / ".dockerignore").read_text(encoding="utf-8").split()
    return [line.removeprefix("!").partition("/")[0] for line in lines if line.startswith("!")]


def _run(stage: Stage, script: str) -> None:
    parts = [part.strip() for part in script.split("&&")]
    kept = [stage.translate(part) for part in parts if not part.startswith(_ONLY_IN_AN_IMAGE)]
    kept = [part.replace("--owner im --group im ", "") for part in kept]
    done = subprocess.run(
        ["bash", "-euc", " && ".join(kept)],
        cwd=stage.path(stage.workdir),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
