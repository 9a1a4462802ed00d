"""Write docs/reference/http-api.md from the gateway's table of routes; with `--check` compare it."""

from http import HTTPStatus
from itertools import groupby

from generated_page import finish, row, table
from google.protobuf.message import Message

from im_gateway.http.openapi import describe
from im_gateway.http.operations import OPERATIONS, Access, Operation
from im_gateway.http.problems import status_of
from im_infra.error_table import REASONS

_RENAMED = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Content Too Large"}
"""Phrases of RFC 9110, which Python has from 3.13 on."""

HEAD = """# HTTP API

<!-- generated from im_gateway/http/operations.py by `make docs`; edit that, or this text in tools/generate_http_page.py -->

What a client does once, over HTTP; what it does all the time, over the [socket](protocol.md). Both reach the same
operations, with the same checks. A running server shows the same routes at `/docs`, and as OpenAPI 3.1 at
`/api/v1/openapi.json`.

- Every path begins with `/api/v1`. Bodies and answers are JSON, `Content-Type: application/json`, in the same mapping as
  the JSON frames: snake_case, 64-bit integers as strings, enums by name ([messages.md](messages.md)).
- `Authorization: Bearer ACCESS_TOKEN` on all routes but the ways in: register, login, guests, refresh.
- `Idempotency-Key: UUIDv7` on those marked *once*: repeat a request with the same key, and it happens once. It fills the
  field named there; the field may stand in the body instead.
- A body is at most 256 KiB. Fields that stand in the path need not stand in the body.
- Lists page: `page_size`, `page_token`, and `next_page_token` in the answer, empty on the last page.
- A failure answers the `Error` of the socket, with a fitting status, and `Retry-After` where waiting helps.
"""
EXAMPLE = """
## Example

A guest comes in and writes to the world room. Repeated with the same key, the message is stored once. Long tokens are
shortened.

```console
$ curl -s http://127.0.0.1:8080/api/v1/guests -H 'Content-Type: application/json' \\
    -d '{"display_name":"Ada","installation":{"device_id":"curl-on-my-desk"}}'
{"grant":{"user":{"user_id":"249876470518775808","handle":"","display_name":"Ada","kind":"USER_KIND_GUEST"},"session_id":"249876470518775809","access_token":"eyJ…ada","access_expire_time":"1795265693000","refresh_token":"r1.…ada","refresh_expire_time":"1797856793629"}}
$ curl -s http://127.0.0.1:8080/api/v1/conversations/1/messages -H 'Authorization: Bearer eyJ…ada' \\
    -H 'Content-Type: application/json' -H 'Idempotency-Key: 01a1fe1e-d35f-74fc-a02c-86bf3ab8152d' \\
    -d '{"content":{"text":{"text":"Hello over HTTP"}}}'
{"conversation_id":"1","seq":"1","count":"1","message_id":"249876480748683264","server_time":"1795264795492","duplicate":false,"client_message_id":"01a1fe1e-d35f-74fc-a02c-86bf3ab8152d"}
$ curl -s http://127.0.0.1:8080/api/v1/conversations/1/messages -H 'Authorization: Bearer eyJ…ada' \\
    -H 'Content-Type: application/json' -H 'Idempotency-Key: 01a1fe1e-d35f-74fc-a02c-86bf3ab8152d' \\
    -d '{"content":{"text":{"text":"Hello over HTTP"}}}'
{"conversation_id":"1","seq":"1","count":"1","message_id":"249876480748683264","server_time":"1795264795492","duplicate":true,"client_message_id":"01a1fe1e-d35f-74fc-a02c-86bf3ab8152d"}
$ curl -s 'http://127.0.0.1:8080/api/v1/conversations/1/messages?page_size=10' -H 'Authorization: Bearer eyJ…ada'
{"messages":[{"seq":"1","content":{"text":{"text":"Hello over HTTP",…}},…}],"max_seq":"1","more":false,"next_page_token":"",…}
$ curl -s -i http://127.0.0.1:8080/api/v1/devices | head -1
HTTP/1.1 401 Unauthorized
```
"""


def fields(operation: Operation) -> str:
    """What may stand in the body."""
    if not operation.has_body:
        return ""
    taken = {*operation.path_fields, *(name for _, name in operation.query_fields)}
    return ", ".join(f"`{each.name}`" for each in operation.request.DESCRIPTOR.fields if each.name not in taken)


def path_text(operation: Operation) -> str:
    """Method and path, with the query's names."""
    query = "&".join(f"{each['name']}=" for each in describe(operation)["parameters"] if each["in"] == "query")
    return f"`{operation.method} {operation.path}{'?' + query if query else ''}`"


def message(kind: type[Message]) -> str:
    """A link to a message."""
    name = kind.DESCRIPTOR.name
    return f"[{name}](messages.md#{name.lower()})"


def main() -> None:
    """Write the page."""
    lines = HEAD.splitlines()
    for tag, operations in groupby(OPERATIONS, key=lambda operation: operation.tag):
        lines += ["", f"## {tag.capitalize()}", "", *table("route", "what it does", "body", "once", "request → answer")]
        for operation in operations:
            summary = operation.summary + ("" if operation.access is Access.SESSION else " (no token)")
            once = f"`{operation.once}`" if operation.once else ""
            kinds = f"{message(operation.request)} → {message(operation.response)}"
            lines.append(row(path_text(operation), summary, fields(operation), once, kinds))
    lines += ["", "## Statuses", "", *table("status", "errors")]
    by_status = sorted(REASONS, key=lambda reason: (status_of(reason), reason.number))
    for status, reasons in groupby(by_status, key=status_of):
        phrase = _RENAMED.get(status, status.phrase)
        lines.append(row(f"{status.value} {phrase}", ", ".join(f"`{reason.name}`" for reason in reasons)))
    lines += ["", "[errors.md](errors.md) says what each means and what to do.", *EXAMPLE.splitlines()]
    finish("http-api.md", lines)


if __name__ == "__main__":
    main()
