"""Write docs/reference/bench-result.md from the schema of a result; with `--check` compare it."""

from collections.abc import Iterator
from typing import Any

from generated_page import finish, row, sentence, table

from im_bench.report.schema import result_schema

HEAD = """# Results of im bench

<!-- generated from im_bench/report/schema.json by `make docs`; edit that -->

What `im bench SCENARIO --json FILE` writes. The schema itself, for a validator of your choice, is
[`im_bench/report/schema.json`](../../im_bench/report/schema.json) (JSON Schema 2020-12). Fields may be added under the
same `schema_version`; anything else raises it. A `<name>` stands for any name.
"""
Schema = dict[str, Any]


def type_of(schema: Schema) -> str:
    """What a field holds, for a person."""
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return "text"
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return " or ".join({"string": "text", "object": "object", "array": "list"}.get(kind, kind) for kind in kinds)


def fields(path: str, schema: Schema, definitions: Schema) -> Iterator[str]:
    """The rows of whatever lies within a schema."""
    inner = dict(schema.get("properties", {}))
    if isinstance(more := schema.get("additionalProperties"), dict):
        inner["<name>"] = more
    for name, given in inner.items():
        field = resolved(given, definitions)
        place = f"{path}{name}"
        if "description" in field:
            yield row(f"`{place}`", type_of(field), sentence(field["description"]))
        yield from fields(f"{place}.", field, definitions)
        if field.get("type") == "array":
            item = resolved(field["items"], definitions)
            yield from fields(f"{place}[].", item, definitions)


def resolved(schema: Schema, definitions: Schema) -> Schema:
    """A schema with what it refers to; its own words go first."""
    if "$ref" not in schema:
        return schema
    target: Schema = definitions[schema["$ref"].rpartition("/")[2]]
    return {**target, **schema}


def main() -> None:
    """Write the page."""
    schema = result_schema()
    lines = [*HEAD.splitlines(), "", *table("field", "type", "what it is")]
    finish("bench-result.md", [*lines, *fields("", schema, schema["$defs"])])


if __name__ == "__main__":
    main()
