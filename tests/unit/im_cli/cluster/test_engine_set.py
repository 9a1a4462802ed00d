import stat
import tomllib
from pathlib import Path

from im_cli.cluster.engine_set import _passwords, to_toml


def test_tables_of_any_depth_are_read_back() -> None:
    tree = {
        "log": {"format": "json"},
        "sql": {"kind": "mysql", "mysql": {"port": 3306, "password": 'a"\\b'}},
        "n": {"l": ["a", "b"]},
    }
    assert tomllib.loads(to_toml(tree)) == tree


def test_passwords_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "passwords.json"
    made = _passwords(path)
    assert _passwords(path) == made
    assert len(set(made.values())) == len(made) == 4
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
