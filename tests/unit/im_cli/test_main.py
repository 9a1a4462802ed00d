"""How the program ends."""

from collections.abc import Callable
from typing import NoReturn

import pytest

from im_cli import main as module
from im_cli.exit_code import CommandError, ExitCode


def ended(raised: BaseException, monkeypatch: pytest.MonkeyPatch) -> object:
    """The exit status of a command that raises so."""

    def app(**_: object) -> NoReturn:
        raise raised

    monkeypatch.setattr(module, "APP", app)
    with pytest.raises(SystemExit) as caught:
        module.main()
    return caught.value.code


@pytest.mark.parametrize("make", [lambda: KeyError("scenario"), lambda: ExceptionGroup("all", [OSError("[no]")])])
def test_an_error_that_nobody_foresaw_is_a_bug_of_ours_and_keeps_its_traceback(
    make: Callable[[], Exception], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = make()
    assert ended(error, monkeypatch) == ExitCode.INTERNAL
    told = capsys.readouterr().err
    assert "Traceback (most recent call last)" in told
    assert told.splitlines()[-2] == f"im: this is a bug of ours: {type(error).__name__}: {error}"
    assert "report it" in told.splitlines()[-1]


def test_an_error_for_a_person_has_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(CommandError("no [such] thing", code=ExitCode.REFUSED), monkeypatch) == ExitCode.REFUSED
    assert capsys.readouterr().err == "im: no [such] thing\n"
