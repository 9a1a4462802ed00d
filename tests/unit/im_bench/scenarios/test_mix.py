"""A mix is read as written, and whatever is wrong with it is said."""

from pathlib import Path

import pytest

from im_bench.scenarios.mix import BESIDE, MESSAGES, load_mix


def test_the_one_that_ships_has_everything() -> None:
    mix = load_mix("")
    assert all(mix.messages[kind] for kind in MESSAGES)
    assert all(mix.beside[name] for name in BESIDE)


def test_what_is_left_out_does_not_happen(tmp_path: Path) -> None:
    file = tmp_path / "mix.toml"
    file.write_text("[messages]\nprivate = 3\n[beside]\nread = 0.5\n", encoding="utf-8")
    mix = load_mix(str(file))
    assert mix.messages == {"private": 3.0, "group": 0.0, "world": 0.0}
    assert mix.beside == {"typing": 0.0, "read": 0.5, "history": 0.0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "needs a weight"),
        ("[messages]\nprivate = 0\n", "needs a weight"),
        ("[messages]\nprivate = 1\ncalls = 2\n", "messages.calls"),
        ("[messages]\nprivate = -1\n", "number from 0"),
        ("[messages]\nprivate = 'much'\n", "number from 0"),
        ("[messages]\nprivate = true\n", "number from 0"),
        ("messages = 3\n", "must be a table"),
        ("[messages]\nprivate = 1\n[people]\nusers = 3\n", "unknown people"),
        ("not toml", "mix.toml"),
    ],
)
def test_a_wrong_one_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "mix.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        load_mix(str(file))


def test_one_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No such file"):
        load_mix(str(tmp_path / "none.toml"))
