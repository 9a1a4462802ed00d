"""A section of the settings tree."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo


class Section(BaseModel):
    """Base of every node of a settings tree: frozen, and without room for a misspelt key.

    Every field is a `Field(default=..., description="...")` whose description is a sentence and names the unit; a field
    that holds a section may rely on that section's docstring. Secrets are `SecretStr` or `SecretBytes`.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        """Refuse a field that nobody explained.

        Raises:
            TypeError: a field has no description.
        """
        super().__pydantic_init_subclass__(**kwargs)
        for name, field in cls.model_fields.items():
            if not field.description and section_of(field) is None:
                raise TypeError(f"{cls.__name__}.{name} has no description")


def section_of(field: FieldInfo) -> type[Section] | None:
    """The section that a field holds, if it holds one."""
    annotation = field.annotation
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return None
