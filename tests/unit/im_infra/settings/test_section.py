import pytest
from pydantic import Field, ValidationError

from im_infra.settings import Section


class Inner(Section):
    """An inner section."""

    size: int = Field(default=1, description="Items.")


def test_a_field_without_a_description_is_refused_where_it_is_written() -> None:
    with pytest.raises(TypeError, match=r"Silent\.size has no description"):

        class Silent(Section):
            size: int = 1


def test_a_section_speaks_for_itself() -> None:
    class Outer(Section):
        inner: Inner = Inner()

    assert Outer().inner.size == 1


def test_a_section_is_frozen() -> None:
    with pytest.raises(ValidationError):
        Inner().size = 2  # type: ignore[misc]


def test_a_default_is_checked_too() -> None:
    class Wrong(Section):
        size: int = Field(default=0, ge=1, description="Items.")

    with pytest.raises(ValidationError):
        Wrong()
