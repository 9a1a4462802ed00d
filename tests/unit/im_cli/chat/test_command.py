"""The flags that need no screen, and that the command line stays quick."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from im_cli.chat import add_to
from im_cli.exit_code import CommandError, ExitCode


def run(*arguments: str) -> BaseException | None:
    app = typer.Typer(pretty_exceptions_enable=False)
    add_to(app)
    return CliRunner().invoke(app, list(arguments)).exception


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--handle", "a", "--guest", "b"], ExitCode.USAGE),
        (["--url", "nonsense"], ExitCode.USAGE),
        (["--logout"], ExitCode.REFUSED),
        (["--plain"], ExitCode.USAGE),
    ],
)
def test_wrong_flags_end_with_their_code(tmp_path: Path, arguments: list[str], code: ExitCode) -> None:
    error = run("--state-dir", str(tmp_path), *arguments)
    assert isinstance(error, CommandError)
    assert error.code is code


def test_the_state_goes_where_the_desktop_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("IM_CHAT_STATE_DIR", raising=False)
    run("--logout")
    assert (tmp_path / "im-chat" / "127.0.0.1_8080").is_dir()


def test_help_does_not_wait_for_textual() -> None:
    program = (
        "import sys, im_cli.main; print([name for name in sys.modules if name.split('.')[0] in ('textual', 'im_sdk')])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
