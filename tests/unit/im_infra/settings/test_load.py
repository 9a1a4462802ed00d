from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import Field, SecretStr

from im_infra.settings import Section, SettingsError, load


class Limits(Section):
    """Limits."""

    rate: float = Field(default=5.0, gt=0, description="Frames a second.")
    networks: tuple[str, ...] = Field(default=(), description="Exempt networks.")


class Tree(Section):
    """A tree."""

    port: int = Field(default=8080, ge=0, le=65_535, description="TCP port.")
    kind: Literal["memory", "redis"] = Field(default="memory", description="The member.")
    debug: bool = Field(default=False, description="Say more.")
    folder: Path | None = Field(default=None, description="Where data lies.")
    keys: dict[str, SecretStr] = Field(default={}, description="Signing keys by kid.")
    limits: Limits = Limits()


def read(
    tmp_path: Path, toml: str = "", environment: dict[str, str] | None = None, overrides: dict[str, Any] | None = None
) -> Tree:
    file = tmp_path / "im.toml"
    file.write_text(toml)
    return load(Tree, toml=file, environment=environment or {}, overrides=overrides or {})


def problems(tmp_path: Path, *args: Any, **kwargs: Any) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, *args, **kwargs)
    return caught.value.problems


def test_without_anything_the_defaults_hold() -> None:
    assert load(Tree, toml=None, environment={}) == Tree()


def test_file_then_environment_then_flags(tmp_path: Path) -> None:
    toml = "port = 1\ndebug = true\n[limits]\nrate = 1.5"
    settings = read(tmp_path, toml, {"IM_PORT": "2", "IM_LIMITS__RATE": "2.5"}, {"limits.rate": 3.5})
    assert (settings.port, settings.debug, settings.limits.rate) == (2, True, 3.5)


def test_flags_may_be_nested(tmp_path: Path) -> None:
    assert read(tmp_path, overrides={"limits": {"rate": 3}}).limits.rate == 3


def test_a_list_in_the_environment_is_json_or_separated_by_commas(tmp_path: Path) -> None:
    assert read(tmp_path, "", {"IM_LIMITS__NETWORKS": "a, b,"}).limits.networks == ("a", "b")
    assert read(tmp_path, "", {"IM_LIMITS__NETWORKS": '["a"]'}).limits.networks == ("a",)


def test_a_table_in_the_environment_is_json_or_one_entry_a_variable(tmp_path: Path) -> None:
    environment = {"IM_KEYS": '{"k1": "one"}', "IM_KEYS__K2": "two"}
    keys = read(tmp_path, "", environment).keys
    assert {kid: key.get_secret_value() for kid, key in keys.items()} == {"k1": "one", "k2": "two"}


def test_other_programs_variables_are_not_ours(tmp_path: Path) -> None:
    assert read(tmp_path, "", {"PORT": "1", "HOME": "/"}) == Tree()


def test_every_problem_is_told_with_its_key_and_where_it_was_set(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        'kind = "etcd"\n[limits]\nrat = 1',
        {"IM_PORT": "many", "IM_PROT": "1", "IM_LIMITS__RATE__X": "1"},
        {"limits.networks": 5},
    )
    told = {line.split(":")[0]: line for line in found}
    assert set(told) == {"kind", "limits.rat", "port", "prot", "limits.rate", "limits.networks"}
    assert told["limits.rat"].startswith("limits.rat: unknown key (set by ")
    assert told["limits.rat"].endswith("im.toml)")
    assert told["prot"] == "prot: unknown key (set by IM_PROT)"
    assert told["port"].endswith("(set by IM_PORT)")
    assert told["limits.networks"].endswith("(set by a flag)")


def test_a_problem_never_tells_the_value(tmp_path: Path) -> None:
    found = problems(tmp_path, 'keys = "hunter2"', {"IM_PORT": "hunter2"})
    assert "hunter2" not in "\n".join(found)


def test_a_file_that_cannot_be_read_is_a_problem_beside_the_others(tmp_path: Path) -> None:
    found = problems(tmp_path, "port = = 1", {"IM_PROT": "1"})
    assert len(found) == 2
    assert "im.toml" in found[0]


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml"):
        load(Tree, toml=tmp_path / "none.toml", environment={})


def test_a_table_that_is_no_json_is_a_problem_of_its_key(tmp_path: Path) -> None:
    assert problems(tmp_path, "", {"IM_KEYS": "{"})[0].startswith("keys: ")


def test_secrets_hide_in_the_repr(tmp_path: Path) -> None:
    assert "hunter2" not in repr(read(tmp_path, 'keys = {k1 = "hunter2"}'))


def test_another_prefix_is_another_program(tmp_path: Path) -> None:
    assert load(Tree, toml=None, environment={"IM_PORT": "1", "X_PORT": "2"}, prefix="X_").port == 2


def test_a_variable_may_name_a_file_that_holds_the_value(tmp_path: Path) -> None:
    """Orchestrators hand secrets out as files; the newline that an editor put there is not part of one."""
    file = tmp_path / "held"
    file.write_text("7071\n")
    assert read(tmp_path, "port = 1", {"IM_PORT_FILE": str(file)}).port == 7071


def test_a_named_file_that_is_not_there_is_a_problem_of_its_key(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "", {"IM_PORT_FILE": str(tmp_path / "gone")})
    assert problem.startswith("port: the file that IM_PORT_FILE names cannot be read")


def test_an_unknown_key_is_unknown_with_or_without_a_file(tmp_path: Path) -> None:
    assert "unknown key" in "".join(problems(tmp_path, "", {"IM_PRT_FILE": "x", "IM_PRT": "1"}))
