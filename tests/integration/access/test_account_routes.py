"""The routes that are no operation of the socket, and what holds for every route: no session, no answer."""

import asyncio

from tests.integration.access.asking import OverHttp, Route
from tests.integration.access.expected import ACCOUNTS, OK
from tests.integration.access.people import KINDS, People
from tests.support.http_client import PASSWORD, Account, HttpClient
from tests.support.ids import uuid7

INSTALLATION = {"device_id": "test-routes-01", "device_class": "DEVICE_CLASS_BOT"}
WAYS_IN = {"Register", "Login", "CreateGuest", "RefreshToken"}


def fields(target: str, people: People, mine: Account) -> dict[str, object]:
    """A request that is right in itself."""
    handle = f"h{uuid7().replace('-', '')[:20]}"
    once = {"operation_id": uuid7()}
    return {
        "Register": {"handle": handle, "password": PASSWORD, "installation": INSTALLATION, **once},
        "Login": {"handle": people.host.handle, "password": PASSWORD, "installation": INSTALLATION},
        "CreateGuest": {"installation": INSTALLATION, **once},
        "RefreshToken": {"refresh_token": mine.refresh_token},
        "RevokeDevice": {"session_id": str(people.host.session_id)},
        "UpgradeGuest": {"handle": handle, "password": PASSWORD, **once},
        "ChangePassword": {"current_password": PASSWORD, "new_password": f"{PASSWORD}!"},
    }.get(target, {})


async def account(kind: str, http: HttpClient, people: People) -> Account:
    """A session of a kind that a case may spoil."""
    if kind == "guest":
        return await http.guest()
    if kind in {"nobody", "registered"}:
        return await http.register(device_class="DEVICE_CLASS_BOT")
    return await http.login(people.subjects[kind].handle)


async def test_every_account_route_answers_as_its_row_says(
    http: HttpClient, people: People, routes: list[Route]
) -> None:
    wrong = []
    for target, by_kind in ACCOUNTS.items():
        route = next(route for route in routes if route.target == target)
        for kind, expected in by_kind.items():
            if target == "ChangePassword" and kind in {"bot", "admin"}:
                continue  # as registered; the tests' own bot and admin keep their password
            mine = await account(kind, http, people)
            asking = OverHttp(http, routes, "" if kind == "nobody" else mine.access_token)
            answer = await asking.request(route, fields(target, people, mine))
            if (answer.error or OK) != expected:
                wrong.append(f"{target} by {kind}: {answer} instead of {expected}")
    assert not wrong, "\n".join(wrong)


async def test_no_route_but_the_ways_in_answers_without_a_session(http: HttpClient, routes: list[Route]) -> None:
    gone = await http.register()
    assert (await http.call("POST", "/logout", token=gone.access_token, json={})).status == 200
    async with asyncio.timeout(2):  # a session once checked is believed for a second
        while (await http.call("GET", "/devices", token=gone.access_token)).error != "SESSION_REVOKED":
            await asyncio.sleep(0.05)
    for route in routes:
        if route.target in WAYS_IN:
            continue
        path = route.path
        for name in route.parameters["path"]:
            path = path.replace(f"{{{name}}}", "1")
        for token, reason in (
            ("", "UNAUTHENTICATED"),
            ("x.y.z", "UNAUTHENTICATED"),
            (gone.access_token, "SESSION_REVOKED"),
        ):
            answer = await http.call(route.method, path, token=token)
            assert (answer.status, answer.error) == (401, reason), (route.target, token)


async def test_the_kinds_of_the_rows_are_those_of_the_people() -> None:
    assert all(tuple(by_kind) == ("nobody", *KINDS) for by_kind in ACCOUNTS.values())
