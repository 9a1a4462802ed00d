from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretBytes, SecretStr

from im_infra.settings import FieldDoc, Section, describe


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Inner(Section):
    """Inner."""

    rate: float = Field(default=5.0, description="Frames a second.")


class Tree(Section):
    """A tree."""

    port: int = Field(description="TCP port.")
    kind: Literal["a", "b"] = Field(default="a", description="The member.")
    inner: Inner = Inner()
    folder: Path | None = Field(default=None, description="Where data lies.")
    color: Color = Field(default=Color.RED, description="The colour.")
    names: tuple[str, ...] = Field(default=("x",), description="Names.")
    exempt: frozenset[str] = Field(default=frozenset({"b", "a"}), description="Exempt.")
    secret: SecretStr = Field(default=SecretStr("hunter2"), description="A secret.")
    keys: dict[str, SecretBytes] = Field(default={}, description="Keys.")
    size: Annotated[int, Field(ge=1)] = Field(default=1, description="Items.")


def test_every_setting_in_order_with_key_type_default_and_meaning() -> None:
    assert describe(Tree) == [
        FieldDoc("port", "IM_PORT", "int", "", "TCP port."),
        FieldDoc("kind", "IM_KIND", '"a" | "b"', '"a"', "The member."),
        FieldDoc("inner.rate", "IM_INNER__RATE", "float", "5.0", "Frames a second."),
        FieldDoc("folder", "IM_FOLDER", "path | none", "null", "Where data lies."),
        FieldDoc("color", "IM_COLOR", '"red" | "blue"', '"red"', "The colour."),
        FieldDoc("names", "IM_NAMES", "tuple[str, ...]", '["x"]', "Names."),
        FieldDoc("exempt", "IM_EXEMPT", "frozenset[str]", '["a", "b"]', "Exempt."),
        FieldDoc("secret", "IM_SECRET", "secret", '"***"', "A secret."),
        FieldDoc("keys", "IM_KEYS", "dict[str, secret]", "{}", "Keys."),
        FieldDoc("size", "IM_SIZE", "int", "1", "Items."),
    ]
