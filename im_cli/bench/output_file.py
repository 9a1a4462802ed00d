"""Finds out before a run whether its files can be written: afterwards the run would be lost."""

from pathlib import Path


def problem_with(file: Path, *, beside: bool = False) -> str | None:
    """Why a file cannot be written; None when it can. What is in it stays, and none is left where there was none.

    Args:
        file: as it was named.
        beside: it is written under another name in the same folder, then renamed (`write_whole`).
    """
    folder = file.absolute().parent
    if file.is_dir():
        return f"{file} is a folder: name a file in it"
    if not folder.is_dir():
        return f"there is no folder {folder} to write to"
    try:
        if file.exists():
            if not file.is_file():
                return f"{file} is no file that can be replaced" if beside else None  # a pipe, a terminal
            with file.open("ab"):
                pass
        if beside or not file.exists():
            _try_to_make(file.with_name(f".{file.name}.new") if beside else file)
    except OSError as error:
        return f"{file} cannot be written: {error.strerror}"
    return None


def problem_with_folder(folder: Path) -> str | None:
    """Why no file can be written in a folder; None when it can: then it has been made if it was absent."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _try_to_make(folder / ".im-bench.new")
    except OSError as error:
        return f"{folder} is no folder that can be written to: {error.strerror}"
    return None


def _try_to_make(file: Path) -> None:
    """Make a file and take it away again."""
    file.touch()
    file.unlink()
