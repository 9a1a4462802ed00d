"""The HTTP API over a real port."""

import json
import re
from typing import Any

import httpx
import pytest

from im_gateway.settings import LimitSettings, PublicPortSettings
from im_infra import error_table
from im_infra.errors import ImError
from im_proto.v1.frame_pb2 import ServerFrame
from im_proto.v1.message_pb2 import GetMessagesResponse, Message, PullResponse, SendResponse

API = "/api/v1"


def bearer(site: Any, user_id: int = 5, **more: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {site.token(user_id, **more)}"}


async def test_a_way_in_answers_the_messages_json(open_site: Any) -> None:
    async with open_site() as site, httpx.AsyncClient(base_url=site.http) as http:
        response = await http.post(
            f"{API}/register",
            json={"handle": "ada", "password": "correct horse", "installation": {"device_id": "device-1"}},
            headers={"Idempotency-Key": "op-1"},
        )
        assert response.status_code == 200
        assert response.json()["grant"]["user"]["handle"] == "ada"
        assert response.json()["grant"]["session_id"] == "0"
        name, request = site.accounts.calls[-1]
        assert (name, request.request.operation_id, request.address) == ("Register", "op-1", "127.0.0.1")


@pytest.mark.parametrize(
    ("path", "body", "status", "name"),
    [
        ("/register", {"handle": "taken"}, 409, "HANDLE_TAKEN"),
        ("/login", {"handle": "ada", "password": "wrong"}, 401, "CREDENTIALS_WRONG"),
        ("/login", {"handle": 5}, 400, "FIELD_INVALID"),
        ("/login", [1], 400, "FIELD_INVALID"),
    ],
)
async def test_errors_have_number_name_and_a_fitting_status(
    open_site: Any, path: str, body: Any, status: int, name: str
) -> None:
    async with open_site() as site, httpx.AsyncClient(base_url=site.http) as http:
        response = await http.post(API + path, json=body)
        assert response.status_code == status
        told = response.json()
        assert told["name"] == name
        assert set(told) >= {"number", "name", "message", "retryable", "retry_after_ms"}


async def test_a_body_that_is_no_json_is_refused(open_site: Any) -> None:
    async with open_site() as site, httpx.AsyncClient(base_url=site.http) as http:
        for body in (b"{", b"\xff\xfe", b"[" * 5000):
            response = await http.post(f"{API}/login", content=body)
            assert (response.status_code, response.json()["name"]) == (400, "FIELD_INVALID")


async def test_a_send_is_the_sockets_own_operation(open_site: Any) -> None:
    async with open_site() as site, httpx.AsyncClient(base_url=site.http) as http:
        response = await http.post(
            f"{API}/conversations/77/messages",
            json={"content": {"text": {"text": "hello"}}},
            headers={**bearer(site), "Idempotency-Key": "c-1"},
        )
        assert response.status_code == 200, response.text
        assert response.json()["seq"] == "1"
        caller, frame = site.logic.commands[0]
        assert (caller.user_id, caller.session_id, caller.connection_id, caller.gateway_id) == (5, 50, 0, "gw-1")
        assert (frame.send.conversation_id, frame.send.client_message_id) == (77, "c-1")
        assert frame.send.content.text.text == "hello"


async def test_a_key_that_differs_from_the_body_is_refused(open_site: Any) -> None:
    async with open_site() as site, httpx.AsyncClient(base_url=site.http) as http:
        response = await http.post(
            f"{API}/groups", json={"title": "t", "operation_id": "a"}, headers={**bearer(site), "Idempotency-Key": "b"}
        )
        assert (response.status_code, response.json()["name"]) == (400, "FIELD_INVALID")


async def test_a_conflict_carries_the_stored_ack(open_site: Any) -> None:
    async with open_site() as site, httpx.AsyncClient(base_url=site.http) as http:
        stored = SendResponse(conversation_id=77, seq=4).SerializeToString()
        site.logic.answers["send"] = lambda caller, frame: ImError(error_table.CONFLICT, detail=stored)
        response = await http.post(f"{API}/conversations/77/messages", json={}, headers=bearer(site))
        assert response.status_code == 409
        assert response.json()["stored"]["seq"] == "4"


async def test_history_pages_backwards_by_token(open_site: Any) -> None:
    async with open_site() as site, httpx.AsyncClient(base_url=site.http) as http:

        def pull(caller: Any, frame: Any) -> ServerFrame:
            last = frame.pull.to_seq or 5
            first = max(1, last - frame.pull.limit + 1)
            messages = [Message(conversation_id=77, seq=seq) for seq in range(first, last + 1)]
            return ServerFrame(pull=PullResponse(conversation_id=77, max_seq=5, messages=messages, more=first > 1))

        site.logic.answers["pull"] = pull
        pages, token = [], ""
        while True:
            response = await http.get(
                f"{API}/conversations/77/messages",
                params={"page_size": 2, "page_token": token},
                headers=bearer(site),
            )
            assert response.status_code == 200, response.text
            pages.append([int(message["seq"]) for message in response.json()["messages"]])
            token = response.json()["next_page_token"]
            if not token:
                break
        assert pages == [[4, 5], [2, 3], [1]]
        bad = await http.get(f"{API}/conversations/77/messages", params={"page_token": "!"}, headers=bearer(site))
        assert bad.json()["name"] == "PAGE_TOKEN_INVALID"


async def test_one_message_or_404(open_site: Any) -> None:
    async with open_site() as site, httpx.AsyncClient(base_url=site.http) as http:
        site.logic.answers["get_messages"] = lambda caller, frame: ServerFrame(
            get_messages=GetMessagesResponse(
                messages=[Message(conversation_id=77, seq=seq) for seq in frame.get_messages.seqs if seq < 10]
            )
        )
        found = await http.get(f"{API}/conversations/77/messages/4", headers=bearer(site))
        assert found.json()["messages"][0]["seq"] == "4"
        missing = await http.get(f"{API}/conversations/77/messages/44", headers=bearer(site))
        assert (missing.status_code, missing.json()["name"]) == (404, "MESSAGE_NOT_FOUND")


async def test_without_a_good_token_everything_but_the_ways_in_is_401(open_site: Any) -> None:
    async with open_site() as site, httpx.AsyncClient(base_url=site.http) as http:
        for headers, name in (
            ({}, "UNAUTHENTICATED"),
            ({"Authorization": "Basic YTpi"}, "UNAUTHENTICATED"),
            ({"Authorization": "Bearer nonsense"}, "UNAUTHENTICATED"),
            (bearer(site, expires_in_s=-60), "TOKEN_EXPIRED"),
        ):
            response = await http.get(f"{API}/devices", headers=headers)
            assert (response.status_code, response.json()["name"]) == (401, name)
            assert response.headers["www-authenticate"] == "Bearer"


async def test_a_revoked_session_is_refused_though_its_token_is_good(open_site: Any) -> None:
    async with open_site() as site, httpx.AsyncClient(base_url=site.http) as http:
        site.accounts.session_error = ImError(error_table.SESSION_REVOKED)
        response = await http.get(f"{API}/devices", headers=bearer(site))
        assert (response.status_code, response.json()["name"]) == (401, "SESSION_REVOKED")


async def test_a_checked_session_is_believed_for_a_second(open_site: Any) -> None:
    async with open_site() as site, httpx.AsyncClient(base_url=site.http) as http:
        for _ in range(3):
            assert (await http.get(f"{API}/devices", headers=bearer(site))).status_code == 200
        checks = [name for name, _ in site.accounts.calls if name == "CheckSession"]
        assert len(checks) == 1


async def test_path_and_query_fill_the_request(open_site: Any) -> None:
    async with open_site() as site, httpx.AsyncClient(base_url=site.http) as http:
        await http.get(f"{API}/users", params={"user_id": ["1", "2"]}, headers=bearer(site))
        assert list(site.logic.commands[-1][1].get_users.user_ids) == [1, 2]
        await http.delete(f"{API}/groups/7/members/9", headers={**bearer(site), "Idempotency-Key": "op"})
        removal = site.logic.commands[-1][1].remove_member
        assert (removal.conversation_id, removal.user_id, removal.operation_id) == (7, 9, "op")
        for path in ("/conversations/x", "/conversations/99999999999999999999999"):
            bad = await http.get(API + path, headers=bearer(site))
            assert (bad.status_code, bad.json()["name"]) == (400, "FIELD_INVALID")
        unknown = await http.get(f"{API}/conversations", params={"nope": "1"}, headers=bearer(site))
        assert (unknown.status_code, unknown.json()["name"]) == (400, "FIELD_INVALID")


async def test_unknown_paths_and_methods_are_told_as_errors(open_site: Any) -> None:
    async with open_site() as site, httpx.AsyncClient(base_url=site.http) as http:
        missing = await http.get(f"{API}/nothing")
        assert (missing.status_code, missing.json()["name"]) == (404, "NOT_FOUND")
        wrong = await http.put(f"{API}/login")
        assert wrong.status_code == 405


async def test_a_login_is_limited_per_address(open_site: Any) -> None:
    limits = LimitSettings(logins_per_ip_per_s=0.001, login_burst_per_ip=2)
    async with open_site(limits=limits) as site, httpx.AsyncClient(base_url=site.http) as http:
        statuses = [(await http.post(f"{API}/login", json={})).status_code for _ in range(3)]
        assert statuses == [401, 401, 429]
        last = await http.post(f"{API}/login", json={})
        assert int(last.headers["retry-after"]) > 1


async def test_logic_that_is_away_is_a_503(open_site: Any) -> None:
    async with open_site() as site, httpx.AsyncClient(base_url=site.http) as http:
        site.logic.answers["get_conversation"] = lambda caller, frame: ImError(
            error_table.UNAVAILABLE, retry_after_ms=1500
        )
        response = await http.get(f"{API}/conversations/7", headers=bearer(site))
        assert (response.status_code, response.headers["retry-after"]) == (503, "2")


async def test_openapi_has_every_route_with_real_schemas(open_site: Any) -> None:
    async with open_site() as site, httpx.AsyncClient(base_url=site.http) as http:
        document = (await http.get(f"{API}/openapi.json")).json()
        assert document["openapi"].startswith("3.1")
        send = document["paths"]["/api/v1/conversations/{conversation_id}/messages"]["post"]
        assert send["requestBody"]["content"]["application/json"]["schema"] == {
            "$ref": "#/components/schemas/SendRequest"
        }
        schemas = document["components"]["schemas"]
        assert schemas["SendRequest"]["properties"]["content"] == {"$ref": "#/components/schemas/Content"}
        assert "MESSAGE_TYPE_TEXT" in schemas["Message"]["properties"]["type"]["enum"]
        references = set(_references(document))
        assert references
        assert all(reference.rpartition("/")[2] in schemas for reference in references)


async def test_the_page_of_the_api_loads_nothing_from_elsewhere(open_site: Any) -> None:
    async with open_site() as site, httpx.AsyncClient(base_url=site.http) as http:
        page = await http.get("/docs")
        loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert len(loaded) >= 3
        for address in loaded:
            assert address.startswith("/docs/"), address
            assert (await http.get(address)).status_code == 200
        assert f"'{API}/openapi.json'" in page.text


def _references(value: Any) -> Any:
    if isinstance(value, dict):
        for key, each in value.items():
            if key == "$ref":
                yield each
            else:
                yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


async def test_a_body_over_the_cap_is_413(open_site: Any) -> None:
    public = PublicPortSettings(port=0, max_body_bytes=2048)
    async with open_site(public=public) as site, httpx.AsyncClient(base_url=site.http) as http:
        response = await http.post(f"{API}/login", content=json.dumps({"handle": "x" * 4000}))
        assert response.status_code == 413


async def test_allowed_origins_get_cors_headers(open_site: Any) -> None:
    public = PublicPortSettings(port=0, allowed_origins=("https://chat.example",))
    async with open_site(public=public) as site, httpx.AsyncClient(base_url=site.http) as http:
        preflight = {"Access-Control-Request-Method": "POST"}
        good = await http.options(f"{API}/login", headers={"Origin": "https://chat.example", **preflight})
        assert good.headers["access-control-allow-origin"] == "https://chat.example"
        bad = await http.options(f"{API}/login", headers={"Origin": "https://evil.example", **preflight})
        assert "access-control-allow-origin" not in bad.headers
