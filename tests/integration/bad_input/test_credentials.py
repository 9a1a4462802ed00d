"""Tokens, tickets and resume tokens that are not what they should be: forged, expired, of others, used before."""

import asyncio
import base64
import json
import time
from typing import Any

import jwt
import pytest

from im_infra.error_table import CloseCode
from tests.integration.bad_input.conftest import Site
from tests.support.http_client import PASSWORD, Account
from tests.support.socket_client import JSON, SocketClient, open_session, open_socket


def signing_key(site: Site) -> tuple[str, str]:
    """The cluster's own (kid, secret)."""
    secrets = json.loads((site.cluster.data_dir / "secrets.json").read_text(encoding="utf-8"))
    key = secrets["signing_keys"][-1]
    return key["key_id"], key["secret"]


def claims_of(account: Account, **changed: Any) -> dict[str, Any]:
    return {**jwt.decode(account.access_token, options={"verify_signature": False}), **changed}


def unsigned(claims: dict[str, Any], header: dict[str, Any]) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part(header)}.{part(claims)}."


def forged(site: Site) -> dict[str, str]:
    """Tokens that say the right things and prove nothing."""
    kid, secret = signing_key(site)
    claims = claims_of(site.me)
    head, body, signature = site.me.access_token.split(".")
    other = part_of(site.other.access_token, 1)
    return {
        "nothing like a token": "x",
        "two dots": "..",
        "a key of one's own": jwt.encode(claims, "k" * 32, algorithm="HS256", headers={"kid": kid}),
        "a kid of one's own": jwt.encode(claims, secret, algorithm="HS256", headers={"kid": "mine"}),
        "no kid": jwt.encode(claims, secret, algorithm="HS256"),
        "a kid that is a path": jwt.encode(claims, "k" * 32, headers={"kid": "../../dev/null"}),
        "no algorithm": unsigned(claims, {"alg": "none", "typ": "JWT", "kid": kid}),
        "no algorithm, in capitals": unsigned(claims, {"alg": "NONE", "kid": kid}),
        "a better algorithm": jwt.encode(claims, secret * 2, algorithm="HS512", headers={"kid": kid}),
        "another's claims": f"{head}.{other}.{signature}",
        "a changed signature": f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
        "a cut signature": f"{head}.{body}.{signature[:-4]}",
        "no signature": f"{head}.{body}.",
        "no session": jwt.encode(without(claims, "sid"), secret, algorithm="HS256", headers={"kid": kid}),
        "no expiry": jwt.encode(without(claims, "exp"), secret, algorithm="HS256", headers={"kid": kid}),
        "a user that is no number": jwt.encode({**claims, "sub": "root"}, secret, headers={"kid": kid}),
        "claims that are a list": unsigned_list(kid),
        "far too long": site.me.access_token + "A" * 2_500,
    }


def part_of(token: str, index: int) -> str:
    return token.split(".")[index]


def without(claims: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in claims.items() if key != name}


def unsigned_list(kid: str) -> str:
    return unsigned([], {"alg": "HS256", "kid": kid})  # type: ignore[arg-type]  # that is the point


async def refused(site: Site, *, subprotocol: str = JSON, **hello: Any) -> tuple[str, int]:
    """The error and the close code of a Hello."""
    async with open_socket(site.url, subprotocol=subprotocol) as client:
        answer = await client.hello(**hello)
        return answer.error.name, await client.closed()


async def revoked(client: SocketClient) -> None:
    """The session's socket is told to go for good within two seconds, and a little."""
    assert await client.closed(seconds=4) == CloseCode.SESSION_REVOKED
    kick = next(frame.kick for frame in client.pushed if frame.HasField("kick"))
    assert kick.close_code == CloseCode.SESSION_REVOKED


async def test_forged_tokens_open_nothing(site: Site) -> None:
    wrong = []
    for name, token in forged(site).items():
        if await refused(site, access_token=token) != ("UNAUTHENTICATED", CloseCode.AUTHENTICATION_FAILED):
            wrong.append(name)
        answer = await site.http.call("GET", "/devices", token=token)
        if (answer.status, answer.error) != (401, "UNAUTHENTICATED"):
            wrong.append(f"{name} over HTTP: {answer}")
    assert not wrong, "\n".join(wrong)


async def test_an_expired_token_says_so(site: Site) -> None:
    kid, secret = signing_key(site)
    past = int(time.time()) - 60
    token = jwt.encode(claims_of(site.me, exp=past, iat=past - 900), secret, headers={"kid": kid})
    assert await refused(site, access_token=token) == ("TOKEN_EXPIRED", CloseCode.TOKEN_STALE)
    answer = await site.http.call("GET", "/devices", token=token)
    assert (answer.status, answer.error) == (401, "TOKEN_EXPIRED")
    async with open_session(site.url, site.me.access_token) as client:
        assert (await client.ask_for("refresh", access_token=token)).error.name == "TOKEN_EXPIRED"


async def test_a_good_signature_over_anothers_session_opens_nothing(site: Site) -> None:
    """As a leaked key would allow: the session must be that user's."""
    kid, secret = signing_key(site)
    token = jwt.encode(claims_of(site.me, sub=str(site.other.user_id)), secret, headers={"kid": kid})
    assert (await refused(site, access_token=token))[0] == "SESSION_REVOKED"
    assert (await site.http.call("GET", "/devices", token=site.me.access_token)).status == 200  # remembered now
    assert (await site.http.call("GET", "/devices", token=token)).error == "SESSION_REVOKED"


async def test_a_token_on_anothers_device_opens_nothing(site: Site) -> None:
    said = {"access_token": site.me.access_token, "device_id": site.other.device_id}
    assert await refused(site, **said) == ("UNAUTHENTICATED", CloseCode.AUTHENTICATION_FAILED)


@pytest.mark.parametrize(
    ("hello", "expected", "code"),
    [
        ({}, "UNAUTHENTICATED", CloseCode.AUTHENTICATION_FAILED),
        ({"access_token": ""}, "UNAUTHENTICATED", CloseCode.AUTHENTICATION_FAILED),
        ({"ticket": "made-up"}, "TICKET_INVALID", CloseCode.AUTHENTICATION_FAILED),
        ({"ticket": "x" * 3_000}, "TICKET_INVALID", CloseCode.AUTHENTICATION_FAILED),
        ({"resume_token": "made-up"}, "RESUME_INVALID", CloseCode.AUTHENTICATION_FAILED),
        ({"resume_token": "s1.1.AAAAAAAAAAAA.1.AAAA"}, "RESUME_INVALID", CloseCode.AUTHENTICATION_FAILED),
        ({"ticket": "x", "instance_id": "i" * 65}, "FIELD_INVALID", CloseCode.PROTOCOL_ERROR),
        ({"ticket": "x", "client_version": "v" * 65}, "FIELD_INVALID", CloseCode.PROTOCOL_ERROR),
        ({"ticket": "x", "device_id": "\u0000"}, "FIELD_INVALID", CloseCode.PROTOCOL_ERROR),
    ],
)
async def test_a_hello_without_a_good_credential_ends_the_connection(
    site: Site, hello: dict[str, Any], expected: str, code: int
) -> None:
    for subprotocol in ("im.v1.protobuf", JSON):
        assert await refused(site, subprotocol=subprotocol, **hello) == (expected, code)


async def test_a_ticket_works_once(site: Site) -> None:
    made = await site.http.call("POST", "/tickets", token=site.me.access_token)
    ticket = made.body["ticket"]
    async with open_socket(site.url) as client:
        assert (await client.hello(ticket=ticket)).HasField("hello")
        assert client.session.hello.user.user_id == site.me.user_id
        assert await refused(site, ticket=ticket) == ("TICKET_INVALID", CloseCode.AUTHENTICATION_FAILED)
        assert (await client.ask_for("ping")).HasField("ping")


async def test_of_many_who_show_a_ticket_at_once_one_comes_in(site: Site) -> None:
    made = await site.http.call("POST", "/tickets", token=site.me.access_token)

    async def attempt(number: int) -> bool:
        async with open_socket(site.url) as client:
            answer = await client.hello(ticket=made.body["ticket"], instance_id=f"tab-{number}")
            return answer.HasField("hello")

    assert sum(await asyncio.gather(*(attempt(number) for number in range(8)))) == 1


@pytest.mark.parametrize("instance", [{}, {"instance_id": "tab-1"}])
async def test_a_resume_token_works_once_and_gives_the_next(site: Site, instance: dict[str, str]) -> None:
    async with open_session(site.url, site.me.access_token, **instance) as client:
        first = client.session.hello.resume_token
    async with open_socket(site.url) as client:
        assert (await client.hello(resume_token=first, **instance)).HasField("hello")
        assert client.session.hello.user.user_id == site.me.user_id
        second = client.session.hello.resume_token
        assert second != first
        assert await refused(site, resume_token=first, **instance) == (
            "RESUME_INVALID",
            CloseCode.AUTHENTICATION_FAILED,
        )
        assert (await client.ask_for("ping")).HasField("ping")
    other_tab = {"resume_token": second, "instance_id": "tab-2"}
    assert (await refused(site, **other_tab))[0] == "RESUME_INVALID"


async def test_after_logout_nothing_of_the_session_works(site: Site) -> None:
    mine = await site.http.login(site.me.handle)
    ticket = (await site.http.call("POST", "/tickets", token=mine.access_token)).body["ticket"]
    async with open_session(site.url, mine.access_token, instance_id="tab-1") as client:
        resume = client.session.hello.resume_token
        assert (await site.http.call("POST", "/logout", token=mine.access_token)).status == 200
        await revoked(client)
    for hello in ({"access_token": mine.access_token}, {"ticket": ticket}, {"resume_token": resume}):
        name, code = await refused(site, **hello)
        assert (name, code) == ("SESSION_REVOKED", CloseCode.SESSION_REVOKED), hello
    answer = await site.http.call("POST", "/refresh", json={"refresh_token": mine.refresh_token})
    assert answer.error == "UNAUTHENTICATED"


async def test_a_refresh_token_used_again_ends_the_family(site: Site) -> None:
    mine = await site.http.login(site.me.handle)
    async with open_session(site.url, mine.access_token) as client:
        first = await site.http.call("POST", "/refresh", json={"refresh_token": mine.refresh_token})
        lost = await site.http.call("POST", "/refresh", json={"refresh_token": mine.refresh_token})
        assert lost.body["grant"]["refresh_token"] == first.body["grant"]["refresh_token"]
        second = await site.http.call("POST", "/refresh", json={"refresh_token": first.body["grant"]["refresh_token"]})
        assert second.status == 200
        stolen = await site.http.call("POST", "/refresh", json={"refresh_token": mine.refresh_token})
        assert (stolen.status, stolen.error) == (401, "REFRESH_REUSED")
        await revoked(client)
    newest = second.body["grant"]
    answer = await site.http.call("POST", "/refresh", json={"refresh_token": newest["refresh_token"]})
    assert answer.error == "UNAUTHENTICATED"
    assert (await refused(site, access_token=newest["access_token"]))[0] == "SESSION_REVOKED"
    assert (await site.http.call("GET", "/devices", token=site.me.access_token)).status == 200, "the others stand"


async def test_a_guessed_refresh_token_ends_nobodys_session(site: Site) -> None:
    mine, token = await site.http.login(site.me.handle), ""
    for _ in range(3):
        token = token or mine.refresh_token
        token = (await site.http.call("POST", "/refresh", json={"refresh_token": token})).body["grant"]["refresh_token"]
    seal = token.rpartition(".")[2]
    for counter in range(5):
        for guess in (
            f"r1.{mine.session_id}.{counter}.{'A' * 43}",
            f"r1.{mine.session_id}.{counter}.{'A' * 43}.{seal}",
        ):
            answer = await site.http.call("POST", "/refresh", json={"refresh_token": guess})
            assert (answer.status, answer.error) == (401, "UNAUTHENTICATED")
    assert (await site.http.call("POST", "/refresh", json={"refresh_token": token})).status == 200


@pytest.mark.parametrize("token", ["", "made-up", "r1.1.1.AAAA", "x" * 5_000, "\u0000", "é"])
async def test_a_refresh_token_that_is_none_is_refused(site: Site, token: str) -> None:
    answer = await site.http.call("POST", "/refresh", json={"refresh_token": token})
    assert (answer.status, answer.error) == (401, "UNAUTHENTICATED")


async def test_a_password_change_ends_the_other_sessions(site: Site) -> None:
    account = await site.http.register(device_class="DEVICE_CLASS_BOT")
    other = await site.http.login(account.handle)
    async with open_session(site.url, other.access_token) as client:
        said = {"current_password": PASSWORD, "new_password": "another horse"}
        changed = await site.http.call("POST", "/password", token=account.access_token, json=said)
        assert changed.status == 200, changed
        await revoked(client)
    assert (await refused(site, access_token=other.access_token))[0] == "SESSION_REVOKED"
    stale = await refused(site, access_token=account.access_token)
    assert stale == ("TOKEN_EXPIRED", CloseCode.TOKEN_STALE), "the session stands, its older tokens do not"
    token = changed.body["grant"]["access_token"]
    assert (await site.http.call("GET", "/devices", token=token)).status == 200
