"""The OpenAPI document, made from the table of operations and the protobuf descriptors."""

from http import HTTPStatus
from typing import Any, Final

from im_gateway.http.operations import Access, Operation
from im_gateway.http.reading import IDEMPOTENCY_KEY
from im_gateway.http.schemas import collect, field_schema, reference
from im_proto.v1.error_pb2 import Error

_BEARER: Final = "access_token"
_JSON: Final = "application/json"


def describe(operation: Operation) -> dict[str, Any]:
    """What a route says beyond its path and summary."""
    described: dict[str, Any] = {
        "parameters": _parameters(operation),
        "responses": {
            "200": {
                "description": "Done.",
                "content": {_JSON: {"schema": dict(reference(operation.response.DESCRIPTOR))}},
            },
            "default": {
                "description": "It failed: see the table of errors.",
                "content": {_JSON: {"schema": dict(reference(Error.DESCRIPTOR))}},
            },
        },
    }
    if operation.has_body:
        body: dict[str, Any] = {"schema": dict(reference(operation.request.DESCRIPTOR))}
        if operation.example:
            body["example"] = operation.example
        described["requestBody"] = {"required": bool(operation.example), "content": {_JSON: body}}
    if operation.access is Access.SESSION:
        described["security"] = [{_BEARER: []}]
    return described


def complete(document: dict[str, Any], operations: tuple[Operation, ...]) -> dict[str, Any]:
    """Add the schemas and the way to authenticate to FastAPI's document."""
    schemas: dict[str, Any] = {}
    collect(Error.DESCRIPTOR, schemas)
    for operation in operations:
        collect(operation.request.DESCRIPTOR, schemas)
        collect(operation.response.DESCRIPTOR, schemas)
    schemas["PullResponse"]["properties"]["next_page_token"] = {"type": "string"}
    components = document.setdefault("components", {})
    components["schemas"] = dict(sorted(schemas.items()))
    components["securitySchemes"] = {_BEARER: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    for path in document["paths"].values():
        for route in path.values():
            route["responses"].pop(str(HTTPStatus.UNPROCESSABLE_ENTITY.value), None)
    return document


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    fields = operation.request.DESCRIPTOR.fields_by_name
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": field_schema(fields[name]) if name in fields else field_schema(fields[f"{name}s"])["items"],
        }
        for name in operation.path_fields
    ]
    parameters.extend(
        {"name": parameter, "in": "query", "required": False, "schema": field_schema(fields[name])}
        for parameter, name in operation.query_fields
    )
    if operation.target == "pull":
        parameters.append({"name": "page_token", "in": "query", "required": False, "schema": {"type": "string"}})
    if operation.once:
        parameters.append(
            {
                "name": IDEMPOTENCY_KEY,
                "in": "header",
                "required": False,
                "description": f"A UUIDv7 kept across retries; the same as {operation.once} in the body.",
                "schema": {"type": "string", "format": "uuid"},
            }
        )
    return parameters
