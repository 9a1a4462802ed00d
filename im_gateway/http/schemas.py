"""OpenAPI schemas of protobuf messages, in the JSON mapping that we speak."""

from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor as Kinds

from im_gateway.http.reading import Field, is_repeated

Descriptor = Any
"""A message's descriptor; protobuf has a class of its own for it in each implementation."""

_INT64: Final = {"type": "string", "format": "int64", "pattern": "^-?[0-9]{1,20}$"}
_SCALARS: Final[dict[int, dict[str, Any]]] = {
    Kinds.CPPTYPE_INT32: {"type": "integer", "format": "int32"},
    Kinds.CPPTYPE_UINT32: {"type": "integer", "minimum": 0},
    Kinds.CPPTYPE_INT64: _INT64,
    Kinds.CPPTYPE_UINT64: _INT64,
    Kinds.CPPTYPE_BOOL: {"type": "boolean"},
}


def reference(descriptor: Descriptor) -> dict[str, str]:
    """A reference to a message's schema."""
    return {"$ref": f"#/components/schemas/{descriptor.name}"}


def collect(descriptor: Descriptor, into: dict[str, Any]) -> None:
    """Add a message's schema, and those of what it holds."""
    if descriptor.name in into:
        return
    properties: dict[str, Any] = {}
    into[descriptor.name] = {"type": "object", "title": descriptor.name, "properties": properties}
    for field in descriptor.fields:
        properties[field.name] = field_schema(field)
        if field.message_type is not None:
            collect(field.message_type, into)
    choices = [[member.name for member in choice.fields] for choice in descriptor.oneofs if len(choice.fields) > 1]
    if choices:
        into[descriptor.name]["description"] = "; ".join(f"One of {', '.join(names)}." for names in choices)


def field_schema(field: Field) -> dict[str, Any]:
    """The schema of one field."""
    schema = _single(field)
    return {"type": "array", "items": schema} if is_repeated(field) else schema


def _single(field: Field) -> dict[str, Any]:
    if field.message_type is not None:
        return dict(reference(field.message_type))
    if field.enum_type is not None:
        return {"type": "string", "enum": [value.name for value in field.enum_type.values]}
    if field.type == Kinds.TYPE_BYTES:
        return {"type": "string", "contentEncoding": "base64"}
    return dict(_SCALARS.get(field.cpp_type, {"type": "string"}))
