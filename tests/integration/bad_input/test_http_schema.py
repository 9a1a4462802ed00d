"""Requests made from the live OpenAPI document, right and wrong: answered as the document says, never with a bug."""

import asyncio
import time
from typing import Any, Final

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from im_infra.error_kind import Kind
from im_infra.error_table import REASONS
from tests.integration.bad_input.conftest import Site
from tests.support.http_client import Account, HttpClient

EXAMPLES: Final = 5
"""Requests of each mode for each route; all of it stays below a minute."""
SECONDS: Final = 25
UNAVAILABLE: Final = {reason.name for reason in REASONS if reason.kind is Kind.UNAVAILABLE} | {"OVERLOADED"}
load_all_checks()
CONFORMS: Final = CHECKS.get_by_names(
    ["response_schema_conformance", "content_type_conformance", "status_code_conformance"]
)


def answered_well(response: Any) -> None:
    """No bug of ours: whatever fails says why, in the form of every error."""
    if response.status_code >= 400:
        told = response.json()
        assert told["number"] in {reason.number for reason in REASONS}
        assert told["name"] != "INTERNAL"
        assert response.status_code < 500 or told["name"] in UNAVAILABLE, told


def play(operation: Any, token: str, deadline: float, mode: GenerationMode) -> None:
    """Many requests to one route."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with requests.Session() as session:
        session.trust_env = False

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def exchange(case: Any) -> None:
            if time.monotonic() > deadline:
                return
            response = case.call(session=session, headers=headers, timeout=20)
            answered_well(response)
            case.validate_response(response, checks=CONFORMS)

        exchange()


def takes_something(operation: Any) -> bool:
    """Whether a request to the route can be wrong: a header alone takes any text."""
    raw = operation.definition.raw
    return "requestBody" in raw or any(each["in"] != "header" for each in raw.get("parameters", ()))


async def account(site: Site, target: str) -> Account:
    """A session that this route may spoil."""
    async with HttpClient(site.cluster.url) as http:
        return await (http.guest() if target == "UpgradeGuest" else http.register())


@pytest.mark.timeout(90)
@pytest.mark.parametrize("authenticated", [True, False], ids=["with a session", "without one"])
async def test_every_route_answers_as_the_document_says(site: Site, authenticated: bool) -> None:
    document = httpx.get(f"{site.cluster.url}/api/v1/openapi.json", trust_env=False).json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=site.cluster.url)
    deadline = time.monotonic() + SECONDS
    routes = [found.ok() for found in schema.get_all_operations()]
    assert len(routes) > 20
    for operation in routes:
        target = operation.definition.raw["operationId"]
        token = (await account(site, target)).access_token if authenticated else ""
        for mode in (
            (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
            if takes_something(operation)
            else (GenerationMode.POSITIVE,)
        ):
            await asyncio.to_thread(play, operation, token, deadline, mode)
    assert time.monotonic() < deadline, "not every route had its turn"
