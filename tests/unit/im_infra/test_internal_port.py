import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from im_infra import error_table, readiness
from im_infra.errors import ImError
from im_infra.internal_port import InternalPort
from im_infra.observability.metrics import Metrics


class Checks:
    """Checks whose outcome a test decides."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.hangs = False

    async def store(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error

    async def bus(self) -> None:
        return


@pytest.fixture
def checks() -> Checks:
    return Checks()


@pytest.fixture
async def port(checks: Checks) -> AsyncIterator[InternalPort]:
    health = {"store": checks.store, "bus": checks.bus}
    async with InternalPort("127.0.0.1", 0, Metrics(), health) as opened:
        yield opened


@pytest.fixture
async def client(port: InternalPort) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port.port}", trust_env=False) as opened:
        yield opened


async def test_healthz_answers_while_the_loop_lives(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


async def test_ready_when_every_check_passes(client: httpx.AsyncClient) -> None:
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "draining": False, "checks": {"store": "ok", "bus": "ok"}}


async def test_a_failing_check_is_named_with_its_reason(client: httpx.AsyncClient, checks: Checks) -> None:
    checks.error = ImError(error_table.UNAVAILABLE, "no connection")
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"store": "UNAVAILABLE: no connection", "bus": "ok"}


async def test_an_unexpected_failure_is_told_by_its_type_only(client: httpx.AsyncClient, checks: Checks) -> None:
    checks.error = ValueError("may hold a secret")
    answer = await client.get("/readyz")
    assert answer.json()["checks"]["store"] == "ValueError"


async def test_a_check_that_hangs_fails_at_its_deadline(
    client: httpx.AsyncClient, checks: Checks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "CHECK_DEADLINE_S", 0.05)
    checks.hangs = True
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["store"] == "no answer within 0.05 s"


async def test_not_ready_while_draining(client: httpx.AsyncClient, port: InternalPort) -> None:
    port.set_ready(False)
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["draining"] is True


async def test_metrics_in_prometheus_format(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "im_process_failed_tasks" in answer.text
    assert "process_cpu_seconds_total" in answer.text


async def test_only_the_metrics_that_are_named(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics", params={"name[]": ["im_process_failed_tasks", "im_nothing"]})
    assert answer.status_code == 200
    names = {line.split()[0] for line in answer.text.splitlines() if not line.startswith("#")}
    assert names == {"im_process_failed_tasks"}


async def test_head_gives_the_length_without_the_body(client: httpx.AsyncClient) -> None:
    answer = await client.head("/healthz")
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "3", b"")


async def test_other_methods_and_paths_are_refused(client: httpx.AsyncClient) -> None:
    assert (await client.post("/healthz")).status_code == 405
    assert (await client.get("/other?x=1")).status_code == 404


async def test_an_oversized_head_is_dropped_and_the_port_goes_on(port: InternalPort, client: httpx.AsyncClient) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port.port)
    writer.write(b"GET /healthz HTTP/1.1\r\n" + b"x" * 100_000)
    async with asyncio.timeout(5):
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
    writer.close()
    assert (await client.get("/healthz")).status_code == 200


async def test_a_readiness_answer_is_one_json_line(client: httpx.AsyncClient) -> None:
    answer = await client.get("/readyz")
    assert answer.text.endswith("\n")
    assert json.loads(answer.text)["ready"]
