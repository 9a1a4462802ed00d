"""The one table: what each operation answers whom. Read it as the specification of who may do what.

A reply may name an entry that its sender cannot see: the number tells nothing, and it comes bare to whoever cannot.

A cell is `ok` or a refusal; `-` means that the case cannot arise in that relation. `X-g` is X for everybody but
guests, who are denied; `X:a` is X for administrators of the server, and denied to the others.
"""

from typing import Final

from tests.integration.access.scenes import RELATIONS

OK: Final = "ok"
NOTHING: Final = "nothing"
"""Over the socket an empty answer, over HTTP MESSAGE_NOT_FOUND."""

_WORDS: Final = {
    "ok": OK,
    "nil": NOTHING,
    "deny": "PERMISSION_DENIED",
    "out": "NOT_A_MEMBER",
    "none": "CONVERSATION_NOT_FOUND",
    "gone": "CONVERSATION_DISSOLVED",
    "hid": "MESSAGE_NOT_FOUND",
}

# What a row is: the operation, and after a slash which case of it (see operations.py).
_TABLE: Final = """
                      owner admin member rejoined  left removed banned  never dissolved  direct direct_never  world world_banned  nowhere
send                  ok-g  ok-g  ok-g   ok-g      out  out     out     none  gone       ok     none          ok    out           none
send/reply_hidden     -     ok-g  ok-g   ok-g      out  out     out     none  gone       -      none          -     out           none
edit_message          ok-g  ok-g  ok-g   ok-g      out  out     out     none  gone       ok     none          ok    out           none
edit_message/others   deny  deny  deny   deny      out  out     out     none  gone       deny   none          deny  out           none
edit_message/hidden   -     hid-g hid-g  hid-g     out  out     out     none  gone       -      none          -     out           none
recall_message        ok    ok    ok-g   ok-g      out  out     out     none  gone       ok     none          ok    out           none
recall_message/others ok    ok    deny   deny      out  out     out     none  gone       deny   none          ok:a  out           none
recall_message/hidden -     hid   hid    hid       out  out     out     none  gone       -      none          -     out           none
typing                ok-g  ok-g  ok-g   ok-g      out  out     out     none  gone       ok     none          deny  deny          none
pull                  ok    ok    ok     ok        ok   ok      ok      none  ok         ok     none          ok    ok            none
get_messages          ok    ok    ok     ok        ok   ok      ok      none  ok         ok     none          ok    ok            none
get_messages/hidden   -     nil   nil    nil       nil  nil     nil     none  nil        -      none          -     nil           none
get_conversation      ok    ok    ok     ok        ok   ok      ok      none  ok         ok     none          ok    ok            none
list_members          ok    ok    ok     ok        out  out     out     none  ok         ok     none          deny  out           none
list_conversations    ok    ok    ok     ok        ok   ok      ok      ok    ok         ok     ok            ok    ok            ok
sync                  ok    ok    ok     ok        ok   ok      ok      ok    ok         ok     ok            ok    ok            ok
view                  ok    ok    ok     ok        ok   ok      ok      ok    ok         ok     ok            ok    ok            ok
ack_received          ok    ok    ok     ok        ok   ok      ok      ok    ok         ok     ok            ok    ok            ok
mark_read             ok    ok    ok     ok        out  out     out     out   ok         ok     out           ok    out           out
add_members           ok-g  ok-g  ok-g   ok-g      out  out     out     none  gone       deny   none          deny  out           none
remove_member         ok    ok    deny   deny      out  out     out     none  gone       deny   none          deny  out           none
leave_group           ok    ok    ok     ok        out  out     out     none  gone       deny   none          deny  out           none
dissolve_group        ok    deny  deny   deny      out  out     out     none  gone       deny   none          deny  out           none
"""

ANYWHERE: Final[dict[str, dict[str, str]]] = {
    case: dict(zip(("guest", "registered", "bot", "admin"), cells, strict=True))
    for case, cells in {
        "hello": ("HELLO_REQUIRED",) * 4,
        "ping": (OK,) * 4,
        "refresh": (OK,) * 4,
        "refresh/others": ("UNAUTHENTICATED",) * 4,
        "open_direct": ("PERMISSION_DENIED", OK, OK, OK),
        "open_direct/nobody": ("PERMISSION_DENIED", "USER_NOT_FOUND", "USER_NOT_FOUND", "USER_NOT_FOUND"),
        "create_group": ("PERMISSION_DENIED", OK, OK, OK),
        "create_group/with_guest": ("PERMISSION_DENIED",) * 4,
        "get_users": (OK,) * 4,
        "find_user": (OK,) * 4,
    }.items()
}
"""What has to do with no conversation that is there, by kind of account."""

ACCOUNTS: Final[dict[str, dict[str, str]]] = {
    case: dict(zip(("nobody", "guest", "registered", "bot", "admin"), cells, strict=True))
    for case, cells in {
        "Register": (OK,) * 5,
        "Login": (OK,) * 5,
        "CreateGuest": (OK,) * 5,
        "RefreshToken": (OK,) * 5,
        "ListDevices": ("UNAUTHENTICATED", OK, OK, OK, OK),
        "CreateTicket": ("UNAUTHENTICATED", OK, OK, OK, OK),
        "RevokeDevice": ("UNAUTHENTICATED", *("DEVICE_NOT_FOUND",) * 4),
        "UpgradeGuest": ("UNAUTHENTICATED", OK, *("PERMISSION_DENIED",) * 3),
        "ChangePassword": ("UNAUTHENTICATED", "PERMISSION_DENIED", OK, OK, OK),
        "Logout": ("UNAUTHENTICATED", OK, OK, OK, OK),
    }.items()
}
"""Routes of the HTTP API that are no operation of the socket."""


def _parse(text: str) -> dict[str, dict[str, str]]:
    header, *lines = [line.split() for line in text.strip().splitlines()]
    assert tuple(header) == RELATIONS
    return {line[0]: dict(zip(header, line[1:], strict=True)) for line in lines}


IN_CONVERSATION: Final = _parse(_TABLE)
CASES: Final = (*IN_CONVERSATION, *ANYWHERE)


def outcome(case: str, relation: str, kind: str) -> str:
    """What a cell says: OK, NOTHING, an error's name, or - where the case cannot arise."""
    cell, _, exception = IN_CONVERSATION[case][relation].partition(
        "-" if "-g" in IN_CONVERSATION[case][relation] else ":"
    )
    if (exception == "g" and kind == "guest") or (exception == "a" and kind != "admin"):
        cell = "deny"
    return _WORDS.get(cell, "-")
