"""Fail when a module has no unit test module, or a unit test module no source.

`im_repo/log/append.py` is tested by `tests/unit/im_repo/log/test_append.py`. What other suites prove instead is
listed below, each with the suite.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("im_infra", "im_repo", "im_logic", "im_task", "im_gateway", "im_sdk", "im_cli", "im_bench")
# A module's path or a folder's, and what proves it.
PROVED_ELSEWHERE: dict[str, str] = {}


def proved_elsewhere(path: str) -> bool:
    """Whether another suite is named for it."""
    return any(path == name or path.startswith(f"{name}/") for name in PROVED_ELSEWHERE)


def main() -> None:
    """Compare both trees."""
    problems = []
    for package in PACKAGES:
        for source in sorted((ROOT / package).rglob("*.py")):
            path = source.relative_to(ROOT)
            if source.name in {"__init__.py", "__main__.py", "abstract.py"} or proved_elsewhere(str(path)):
                continue
            test = ROOT / "tests/unit" / path.parent / f"test_{path.name.lstrip('_')}"
            if not test.exists():
                problems.append(f"{path} has no {test.relative_to(ROOT)}")
    for test in sorted((ROOT / "tests/unit").rglob("test_*.py")):
        path = test.relative_to(ROOT / "tests/unit")
        name = path.name.removeprefix("test_")
        if not any((ROOT / path.parent / candidate).exists() for candidate in (name, f"_{name}")):
            problems.append(f"{test.relative_to(ROOT)} tests no module")
    if problems:
        raise SystemExit("\n".join(problems))


if __name__ == "__main__":
    main()
