"""Reading a settings tree: defaults < TOML < environment < overrides, every problem told at once."""

import json
import tomllib
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from im_infra.settings.section import Section, section_of

T = TypeVar("T", bound=Section)
Path_ = tuple[str, ...]

_MISSING: Final = object()
_FILE: Final = "_file"


class SettingsError(Exception):
    """The settings cannot be used. It is raised before anything runs and never sent to a peer."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        """One line each: the full dotted key, what is wrong, and where it was set. Never a value: it may be secret."""


def load(
    tree: type[T],
    *,
    toml: Path | None,
    environment: Mapping[str, str],
    overrides: Mapping[str, Any] | None = None,
    prefix: str = "IM_",
) -> T:
    """Read and check a settings tree.

    `IM_GATEWAY__PORT=0` sets `gateway.port`. In the environment, a list is either JSON or separated by commas, and a
    table is JSON; `IM_KEYS__K1=...` sets one entry of a table whose keys are free (in lower case). A variable with
    `_FILE` behind a key's name names a file that holds the value, as orchestrators hand out secrets
    (`IM_SQL__MYSQL__PASSWORD_FILE=/run/secrets/mysql`); a line's end behind it does not count.

    Args:
        tree: the section at the root.
        toml: the configuration file; None: there is none.
        environment: the process environment; only names beginning with `prefix` are looked at.
        overrides: from flags, by dotted key or nested.
        prefix: of environment variables that are ours; one of ours that sets nothing is a problem.

    Raises:
        SettingsError: with every problem found.
    """
    gathered = _Gathered(tree)
    if toml is not None:
        gathered.add_file(toml)
    gathered.add_environment(environment, prefix)
    gathered.add_overrides(overrides or {})
    try:
        settings = tree.model_validate(gathered.values)
    except ValidationError as error:
        gathered.problems.extend(gathered.explain(error))
    else:
        if not gathered.problems:
            return settings
    raise SettingsError(gathered.problems)


class _Gathered:
    """The values so far, where each came from, and what was wrong with the sources themselves."""

    def __init__(self, tree: type[Section]) -> None:
        self.values: dict[str, Any] = {}
        self.problems: list[str] = []
        self._tree = tree
        self._origins: dict[Path_, str] = {}

    def add_file(self, toml: Path) -> None:
        try:
            values = tomllib.loads(toml.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            self.problems.append(f"{toml}: {error}")
            return
        self._add_nested((), values, str(toml))

    def add_environment(self, environment: Mapping[str, str], prefix: str) -> None:
        for name in sorted(name for name in environment if name.startswith(prefix)):
            path = tuple(name.removeprefix(prefix).lower().split("__"))
            text = environment[name]
            if _annotation(self._tree, path) is None and path[-1].endswith(_FILE):
                path = (*path[:-1], path[-1].removesuffix(_FILE))
                try:
                    text = Path(text).read_text(encoding="utf-8").rstrip("\r\n")
                except (OSError, UnicodeDecodeError) as error:
                    self.problems.append(f"{'.'.join(path)}: the file that {name} names cannot be read: {error}")
                    continue
            self._set(path, _parsed(_annotation(self._tree, path), text), name)

    def add_overrides(self, overrides: Mapping[str, Any]) -> None:
        for key, value in overrides.items():
            path = tuple(key.split("."))
            if isinstance(value, Mapping):
                self._add_nested(path, value, "a flag")
            else:
                self._set(path, value, "a flag")

    def explain(self, error: ValidationError) -> list[str]:
        """A line for each thing the validation found."""
        lines = []
        for problem in error.errors(include_url=False, include_context=False, include_input=False):
            path = tuple(str(part) for part in problem["loc"])
            message = "unknown key" if problem["type"] == "extra_forbidden" else problem["msg"]
            origin = self._origin(path)
            lines.append(f"{'.'.join(path) or 'settings'}: {message}" + (f" (set by {origin})" if origin else ""))
        return lines

    def _add_nested(self, path: Path_, values: Mapping[str, Any], origin: str) -> None:
        for key, value in values.items():
            if isinstance(value, Mapping) and value:
                self._add_nested((*path, key), value, origin)
            else:
                self._set((*path, key), value, origin)

    def _set(self, path: Path_, value: object, origin: str) -> None:
        node: MutableMapping[str, Any] = self.values
        for part in path[:-1]:
            inner = node.get(part, _MISSING)
            if not isinstance(inner, dict):  # absent, or a plain value of a weaker source
                inner = node[part] = {}
            node = inner
        node[path[-1]] = value
        self._origins[path] = origin

    def _origin(self, path: Path_) -> str | None:
        for length in range(len(path), 0, -1):
            if path[:length] in self._origins:
                return self._origins[path[:length]]
        return None


def _annotation(tree: type[Section], path: Path_) -> object:
    """The type of the field at `path`; None where there is none (validation will say so)."""
    section: type[Section] | None = tree
    for depth, part in enumerate(path):
        field = section.model_fields.get(part) if section is not None else None
        if field is None:
            return None
        if depth == len(path) - 1:
            return field.annotation
        section = section_of(field)
    return None


def _parsed(annotation: object, text: str) -> object:
    """What a variable's text means for a field of that type; scalars are left to the validation."""
    origin = getattr(annotation, "__origin__", annotation)
    if not isinstance(origin, type) or issubclass(origin, str | bytes):
        return text
    is_table = issubclass(origin, Mapping | Section)
    is_list = issubclass(origin, list | tuple | set | frozenset)
    if is_table or (is_list and text.lstrip().startswith("[")):
        try:
            return json.loads(text)
        except ValueError:
            return text  # the validation says that it is no table or list
    if is_list:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text
