"""The JSON schema of a result: for whoever reads result files, and for the tests that hold every scenario to it."""

import json
from importlib.resources import files
from typing import Any


def result_schema() -> dict[str, Any]:
    """The schema, JSON Schema 2020-12."""
    text = files(__package__).joinpath("schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
