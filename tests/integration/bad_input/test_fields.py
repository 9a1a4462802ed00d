"""Requests that are frames, but wrong: each is told its number, and the connection stays open."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.bad_input.conftest import Site
from tests.support.ids import uuid7
from tests.support.socket_client import SocketClient

DAY_MS = 86_400_000
FAR = str(1 << 62)
TEXT_LIMIT, CUSTOM_LIMIT = 16_384, 32_768


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"content": {"text": {"text": words, **more}}}


SENDS: dict[str, tuple[dict[str, Any], str]] = {
    "a text one byte too long": (text("x" * (TEXT_LIMIT + 1)), "TEXT_TOO_LONG"),
    "a text too long in UTF-8 only": (text("ä" * (TEXT_LIMIT // 2 + 1)), "TEXT_TOO_LONG"),
    "an empty text": (text(""), "FIELD_INVALID"),
    "no content": ({"content": {}}, "FIELD_INVALID"),
    "a notice, which is the server's": ({"content": {"notice": {"dissolved": {}}}}, "FIELD_INVALID"),
    "an edit, which has an operation of its own": ({"content": {"edit": {"text": "x"}}}, "FIELD_INVALID"),
    "a custom body too long": (
        {"content": {"custom": {"kind": "k", "data": "A" * 4 * (CUSTOM_LIMIT // 3 + 1)}}},
        "TEXT_TOO_LONG",
    ),
    "a custom body without a kind": ({"content": {"custom": {"data": "AAAA"}}}, "FIELD_INVALID"),
    "a mention beyond the text": (text("ab", mentions=[{"user_id": "1", "offset": 1, "length": 2}]), "FIELD_INVALID"),
    "a mention before the text": (text("ab", mentions=[{"user_id": "1", "offset": -1, "length": 1}]), "FIELD_INVALID"),
    "too many mentions": (text("ab", mentions=[{"user_id": "1", "length": 1}] * 101), "FIELD_INVALID"),
    "a reply to a negative seq": ({"ref_seq": "-1"}, "FIELD_INVALID"),
    "no client_message_id": ({"client_message_id": ""}, "FIELD_INVALID"),
    "a client_message_id that is no UUID": ({"client_message_id": "x" * 36}, "FIELD_INVALID"),
    "a client_message_id of version 4": (
        {"client_message_id": "0f8fad5b-d9cb-469f-a165-70867728950e"},
        "FIELD_INVALID",
    ),
    "a client_message_id of two weeks ago": (
        {"client_message_id": uuid7(time_ms=int(time.time() * 1000) - 15 * DAY_MS)},
        "TOO_OLD",
    ),
    "a conversation that is not there": ({"conversation_id": FAR}, "CONVERSATION_NOT_FOUND"),
    "no conversation": ({"conversation_id": "0"}, "CONVERSATION_NOT_FOUND"),
    "a negative conversation": ({"conversation_id": "-1"}, "CONVERSATION_NOT_FOUND"),
}


@pytest.mark.parametrize("name", SENDS)
async def test_a_message_that_is_wrong_is_not_stored(site: Site, client: SocketClient, name: str) -> None:
    fields, expected = SENDS[name]
    answer = await client.ask_for("send", **site.says(**fields))
    assert answer.error.name == expected, answer
    assert (await client.ask_for("send", **site.says())).HasField("send")


Make = Callable[[Site], dict[str, Any]]


def here(**more: Any) -> Make:
    return lambda site: {"conversation_id": str(site.conversation_id), **more}


def once(**more: Any) -> Make:
    return lambda site: {"conversation_id": str(site.conversation_id), "operation_id": uuid7(), **more}


def just(**fields: Any) -> Make:
    return lambda _site: fields


OPERATIONS: list[tuple[str, Make, str]] = [
    ("pull", here(from_seq="-1"), "FIELD_INVALID"),
    ("pull", here(from_seq="5", to_seq="4"), "FIELD_INVALID"),
    ("pull", here(limit=201), "FIELD_INVALID"),
    ("pull", here(limit=-1), "FIELD_INVALID"),
    ("pull", just(conversation_id=FAR), "CONVERSATION_NOT_FOUND"),
    ("get_messages", here(), "FIELD_INVALID"),
    ("get_messages", here(seqs=["0"]), "FIELD_INVALID"),
    ("get_messages", here(seqs=[str(seq) for seq in range(1, 102)]), "FIELD_INVALID"),
    ("mark_read", here(seq="0"), "FIELD_INVALID"),
    ("mark_read", here(seq="-7"), "FIELD_INVALID"),
    ("ack_received", just(cursors=[{"conversation_id": "1", "seq": "1"}] * 201), "FIELD_INVALID"),
    ("view", just(conversation_ids=[str(each) for each in range(9)]), "FIELD_INVALID"),
    ("sync", just(open=[{"conversation_id": "1"}] * 51), "FIELD_INVALID"),
    ("sync", just(page_size=201), "FIELD_INVALID"),
    ("sync", just(page_size=-1), "FIELD_INVALID"),
    ("sync", just(page_token="made up"), "PAGE_TOKEN_INVALID"),
    ("list_members", here(page_size=501), "FIELD_INVALID"),
    ("list_members", here(page_token="bWFkZSB1cA"), "PAGE_TOKEN_INVALID"),
    ("list_conversations", just(page_size=201), "FIELD_INVALID"),
    ("list_conversations", just(page_token="\u0000"), "PAGE_TOKEN_INVALID"),
    ("typing", just(conversation_id=FAR), "CONVERSATION_NOT_FOUND"),
    ("open_direct", just(user_id="0"), "USER_NOT_FOUND"),
    ("open_direct", just(user_id=FAR), "USER_NOT_FOUND"),
    ("get_users", just(), "FIELD_INVALID"),
    ("get_users", just(user_ids=[str(each) for each in range(1, 102)]), "FIELD_INVALID"),
    ("find_user", just(handle=""), "USER_NOT_FOUND"),
    ("find_user", just(handle="@"), "USER_NOT_FOUND"),
    ("find_user", just(handle="ä" * 500), "USER_NOT_FOUND"),
    ("find_user", just(handle="'; DROP TABLE user; --"), "USER_NOT_FOUND"),
    ("create_group", just(title="Tea", operation_id="1"), "FIELD_INVALID"),
    ("create_group", lambda _site: {"title": " ", "operation_id": uuid7()}, "FIELD_INVALID"),
    ("create_group", lambda _site: {"title": "x" * 129, "operation_id": uuid7()}, "FIELD_INVALID"),
    ("create_group", lambda _site: {"title": "x", "operation_id": uuid7(), "user_ids": [FAR]}, "USER_NOT_FOUND"),
    ("create_group", lambda _site: {"title": "x", "operation_id": uuid7(time_ms=1)}, "TOO_OLD"),
    ("add_members", once(user_ids=[]), "FIELD_INVALID"),
    ("add_members", once(user_ids=[FAR]), "USER_NOT_FOUND"),
    ("add_members", once(user_ids=[str(each) for each in range(1, 102)]), "FIELD_INVALID"),
    ("remove_member", once(user_id=FAR), "USER_NOT_FOUND"),
    ("remove_member", lambda site: once(user_id=str(site.me.user_id))(site), "FIELD_INVALID"),
    ("leave_group", here(operation_id=""), "FIELD_INVALID"),
    ("dissolve_group", here(operation_id="x" * 36), "FIELD_INVALID"),
    ("edit_message", once(seq="0", text={"text": "x"}), "FIELD_INVALID"),
    ("edit_message", once(seq="1", text={"text": ""}), "FIELD_INVALID"),
    ("edit_message", once(seq="1", text={"text": "x" * (TEXT_LIMIT + 1)}), "TEXT_TOO_LONG"),
    ("edit_message", once(seq="1", text={"text": "the notice"}), "PERMISSION_DENIED"),
    ("edit_message", once(seq=FAR, text={"text": "x"}), "MESSAGE_NOT_FOUND"),
    ("recall_message", once(seq="-1"), "FIELD_INVALID"),
    ("recall_message", once(seq="1"), "PERMISSION_DENIED"),
    ("recall_message", once(seq=FAR), "MESSAGE_NOT_FOUND"),
    ("refresh", just(access_token=""), "UNAUTHENTICATED"),
    ("hello", just(access_token="x"), "HELLO_REQUIRED"),
]


async def test_a_request_that_is_wrong_is_told_why(site: Site, client: SocketClient) -> None:
    """All on one connection: none of them ends it."""
    wrong = []
    for operation, make, expected in OPERATIONS:
        answer = await client.ask_for(operation, **make(site))
        if answer.error.name != expected:
            wrong.append(f"{operation} {make(site)}: {answer} instead of {expected}")
    assert not wrong, "\n".join(wrong)
    assert (await client.ask_for("ping")).HasField("ping")


async def test_the_same_id_with_other_content_is_a_conflict_that_names_what_is_stored(
    site: Site, client: SocketClient
) -> None:
    said = site.says()
    first = await client.ask_for("send", **said)
    again = await client.ask_for("send", **said, attempt=2)
    assert (again.send.seq, again.send.duplicate) == (first.send.seq, True)
    answer = await client.ask_for("send", **{**said, **text("other words")})
    assert (answer.error.name, answer.error.stored.seq) == ("CONFLICT", first.send.seq)


async def test_a_page_token_is_good_for_its_own_user_and_list_alone(site: Site, client: SocketClient) -> None:
    page = await client.ask_for("list_members", conversation_id=str(site.conversation_id), page_size=1)
    token = page.list_members.next_page_token
    assert token
    for operation in ("sync", "list_conversations"):
        assert (await client.ask_for(operation, page_token=token)).error.name == "PAGE_TOKEN_INVALID"
    path = f"/conversations/{site.conversation_id}/members"
    answer = await site.http.call("GET", path, token=site.other.access_token, params={"page_token": token})
    assert answer.error == "PAGE_TOKEN_INVALID"
