"""Finds an adapter by name, or by the place of its class."""

import importlib
from typing import Final

from im_bench.adapters.abstract import Adapter

SHIPPED: Final = {
    "im": "im_bench.adapters.im.adapter:ImAdapter",
    "echo": "im_bench.adapters.echo:EchoAdapter",
}


def load_adapter(name: str) -> type[Adapter]:
    """The adapter of this name.

    Args:
        name: `im`, `echo`, or `package.module:Class` of one's own, importable in this environment.

    Raises:
        ValueError: there is none; the message says why.
    """
    place, colon, class_name = SHIPPED.get(name, name).partition(":")
    if not colon:
        raise ValueError(f"no adapter {name!r}: {', '.join(SHIPPED)}, or package.module:Class of your own")
    try:
        found = getattr(importlib.import_module(place), class_name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"the adapter {name!r} cannot be loaded: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Adapter)):
        raise ValueError(  # noqa: TRY004 - what is wrong is the name
            f"{name!r} is no subclass of im_bench.adapters.abstract.Adapter"
        )
    return found
