"""What can be set: for the reference page, `im doctor` and the sample configuration."""

import json
import typing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Literal, Union

from pydantic import SecretBytes, SecretStr
from pydantic.fields import FieldInfo

from im_infra.settings.section import Section, section_of


@dataclass(frozen=True, slots=True)
class FieldDoc:
    """One setting."""

    key: str
    """Dotted, as in the TOML file: `gateway.heartbeat.interval_s`."""
    environment: str
    """The variable that sets it."""
    type: str
    """As people write it: `int`, `"console" | "json"`, `list[str]`."""
    default: str
    """As JSON; empty where it must be set, `***` for a secret that has a value."""
    description: str
    """One sentence, with the unit."""


def describe(tree: type[Section], *, prefix: str = "IM_") -> list[FieldDoc]:
    """All settings of a tree, in the order they are declared, depth first."""
    return list(_describe(tree, (), prefix))


def _describe(section: type[Section], path: tuple[str, ...], prefix: str) -> typing.Iterator[FieldDoc]:
    for name, field in section.model_fields.items():
        here = (*path, name)
        inner = section_of(field)
        if inner is not None:
            yield from _describe(inner, here, prefix)
            continue
        yield FieldDoc(
            key=".".join(here),
            environment=prefix + "__".join(here).upper(),
            type=_type_text(field.annotation),
            default=_default_text(field),
            description=field.description or "",
        )


def _default_text(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    value = field.get_default(call_default_factory=True, validated_data={})
    return json.dumps(value, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, SecretStr | SecretBytes):
        return "***" if value.get_secret_value() else ""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)


def _type_text(annotation: object) -> str:  # noqa: PLR0911 - one line a kind of type
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return " | ".join(json.dumps(value) for value in arguments)
    if origin is typing.Annotated:
        return _type_text(arguments[0])
    if origin in {Union, UnionType}:
        return " | ".join(_type_text(argument) for argument in arguments)
    if origin is not None:
        inside = ", ".join("..." if argument is Ellipsis else _type_text(argument) for argument in arguments)
        return f"{origin.__name__}[{inside}]"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " | ".join(json.dumps(member.value) for member in annotation)
    if annotation in (SecretStr, SecretBytes):
        return "secret"
    if annotation is Path:
        return "path"
    return "none" if annotation is NoneType else str(getattr(annotation, "__name__", annotation))
