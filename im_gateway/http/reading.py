"""From an HTTP request to a request message."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from fastapi import Request
from google.protobuf.message import Message

from im_gateway.codec.json_mapping import JsonInvalidError, from_json_value, parse_json
from im_gateway.http.operations import Operation
from im_infra import error_table
from im_infra.errors import ImError

Field = Any
"""A field's descriptor; protobuf has a class of its own for it in each implementation."""

IDEMPOTENCY_KEY: Final = "Idempotency-Key"


async def read_request(
    operation: Operation, request: Request, *, query: Iterable[tuple[str, str]] | None = None
) -> Message:
    """The request message: JSON body, then path, query and Idempotency-Key.

    Args:
        operation: what is asked.
        request: the HTTP request.
        query: the query parameters to read; None: all of the request.

    Raises:
        ImError: FIELD_INVALID.
    """
    value: dict[str, Any] = {}
    if operation.has_body:
        body = await request.body()
        try:
            parsed = parse_json(body) if body.strip() else {}
        except JsonInvalidError as error:
            raise ImError(error_table.FIELD_INVALID, f"body: {error}") from error
        if not isinstance(parsed, dict):
            raise ImError(error_table.FIELD_INVALID, "body: an object is expected")
        value.update(parsed)
    _take_path(operation, request.path_params, value)
    _take_query(operation, request.query_params.multi_items() if query is None else query, value)
    _take_key(operation, request.headers.get(IDEMPOTENCY_KEY, ""), value)
    try:
        return from_json_value(value, operation.request())
    except JsonInvalidError as error:
        raise ImError(error_table.FIELD_INVALID, str(error)) from error


def _take_path(operation: Operation, path: Mapping[str, str], value: dict[str, Any]) -> None:
    fields = operation.request.DESCRIPTOR.fields_by_name
    for name in operation.path_fields:
        if name in fields:
            value[name] = path[name]
        else:  # one item of a list, such as seq of seqs
            value[f"{name}s"] = [path[name]]


def _take_query(operation: Operation, query: Iterable[tuple[str, str]], value: dict[str, Any]) -> None:
    fields = operation.request.DESCRIPTOR.fields_by_name
    known = dict(operation.query_fields)
    for parameter, text in query:
        name = known.get(parameter)
        if name is None:
            raise ImError(error_table.FIELD_INVALID, f"no query parameter {parameter[:64]!r}")
        if is_repeated(fields[name]):
            value.setdefault(name, []).append(text)
        else:
            value[name] = text


def _take_key(operation: Operation, key: str, value: dict[str, Any]) -> None:
    if not operation.once or not key:
        return
    present = value.get(operation.once)
    if present and present != key:
        raise ImError(error_table.FIELD_INVALID, f"{IDEMPOTENCY_KEY} and {operation.once} differ")
    value[operation.once] = key


def is_repeated(field: Field) -> bool:
    """Whether a field is a list."""
    return bool(field.is_repeated)
