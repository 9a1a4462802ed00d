"""Traces of an embedded cluster, as a real collector is told them."""

import asyncio
import json
import runpy
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider

from im_sdk import Client, MessageReceived
from tests.docs_support.blocks import ROOT
from tests.support.cluster import STOP_S, Cluster, start_cluster
from tests.support.http_client import HttpClient
from tests.support.otlp_collector import Collector, ToldSpan, otlp_collector
from tests.support.socket_client import open_session
from tests.support.traced import send_traced, told_trace


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with otlp_collector() as running:
        yield running


@pytest.fixture(scope="module")
def traced(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """It samples nothing by itself and follows its clients; the collector wants a key."""
    settings = {
        "IM_TRACING__ENDPOINT": collector.endpoint,
        "IM_TRACING__SAMPLE_RATIO": "0",
        "IM_TRACING__FOLLOW_CLIENTS": "true",
        "IM_TRACING__HEADERS": json.dumps({"x-api-key": "of the test"}),
        "IM_LOG__FORMAT": "json",
    }
    with start_cluster(tmp_path_factory.mktemp("traced"), settings) as running:
        yield running


async def test_a_message_is_one_trace_from_the_frame_to_the_push(traced: Cluster, collector: Collector) -> None:
    async with HttpClient(traced.url) as api:
        ann, bob = await api.register(), await api.register()
    async with (
        open_session(traced.socket_url, ann.access_token) as one,
        open_session(traced.socket_url, bob.access_token) as other,
    ):
        opened = await one.ask_for("open_direct", user_id=str(bob.user_id))
        conversation_id = opened.open_direct.head.conversation.conversation_id
        trace_id = await send_traced(one, conversation_id, "Are you there?")
        await other.until(lambda frame: frame.message_push.message.content.text.text == "Are you there?")
        names = (
            "gateway.request",
            "logic.request",
            "repo.request",
            "repo.append_batch",
            "logic.deliver",
            "gateway.push",
        )
        spans = await told_trace(collector, trace_id, names)
    request, logic, repo = spans["gateway.request"], spans["logic.request"], spans["repo.request"]
    batch, deliver, push = spans["repo.append_batch"], spans["logic.deliver"], spans["gateway.push"]
    assert [span.service for span in (request, logic, repo, push)] == [
        "im_gateway",
        "im_logic",
        "im_repo",
        "im_gateway",
    ]
    assert request.attributes["operation"] == "send"
    assert repo.attributes["kind"] == "append"
    assert logic.parent_id == request.span_id
    assert repo.parent_id == logic.span_id
    assert deliver.parent_id == logic.span_id
    assert batch.parent_id == repo.span_id
    assert (trace_id, batch.span_id) in repo.links
    assert push.parent_id == deliver.span_id
    assert request.start_ns <= logic.start_ns <= repo.start_ns <= batch.start_ns
    assert batch.end_ns <= repo.end_ns <= logic.end_ns <= request.end_ns
    assert push.start_ns >= batch.end_ns, "nothing is pushed before it is on disk"
    assert any(told.get("x-api-key") == "of the test" for told in collector.metadata)


async def test_the_sdk_carries_its_programs_trace_to_the_other_device(traced: Cluster, collector: Collector) -> None:
    """One trace from the span of the program that sends, told as the docs show it, to the push on the receiver's gateway."""
    traceparent = runpy.run_path(str(ROOT / "docs/examples/traceparent.py"))["traceparent"]
    tracer = TracerProvider().get_tracer("a program")
    async with Client(traced.url, traceparent=traceparent) as ann, Client(traced.url) as bob:
        for client, handle in ((ann, "traced_ann"), (bob, "traced_bob")):
            await client.register(handle, "correct horse")
            await client.connect()
        with tracer.start_as_current_span("a program's own") as own:
            direct = await ann.open_direct(bob.user.user_id)
            await ann.send(direct.conversation_id, "Are you there?")
        async with asyncio.timeout(10):
            async for event in bob.events():
                if isinstance(event, MessageReceived):
                    break
    context = own.get_span_context()
    told = await told_trace(collector, f"{context.trace_id:032x}", ("gateway.request", "logic.deliver", "gateway.push"))
    asked = [span for span in collector.trace(f"{context.trace_id:032x}") if span.name == "gateway.request"]
    assert {(span.parent_id, span.attributes["operation"]) for span in asked} == {
        (f"{context.span_id:016x}", "open_direct"),
        (f"{context.span_id:016x}", "send"),
    }
    assert told["gateway.push"].parent_id == told["logic.deliver"].span_id


async def test_a_message_of_a_large_conversation_goes_over_the_bus(traced: Cluster, collector: Collector) -> None:
    async with HttpClient(traced.url) as api:
        ann, bob = await api.register(), await api.register()
    async with (
        open_session(traced.socket_url, ann.access_token) as one,
        open_session(traced.socket_url, bob.access_token) as other,
    ):
        world = one.session.hello.world_conversation_id
        await other.ask_for("view", conversation_ids=[str(world)])
        trace_id = await send_traced(one, world, "Hello, world")
        await other.until(lambda frame: frame.message_push.message.content.text.text == "Hello, world")
        names = ("gateway.request", "logic.publish", "task.fan_out", "gateway.fan_out")
        spans = await told_trace(collector, trace_id, names)
    assert spans["logic.publish"].parent_id == spans["logic.request"].span_id
    assert spans["task.fan_out"].parent_id == spans["logic.publish"].span_id
    assert spans["gateway.fan_out"].parent_id == spans["task.fan_out"].span_id
    assert spans["task.fan_out"].service == "im_task"


async def test_http_requests_are_traced_and_failures_marked(traced: Cluster, collector: Collector) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    async with HttpClient(traced.url) as api:
        ann = await api.register()
        asked = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}
        answer = await api.call("GET", "/conversations/4711/messages", token=ann.access_token, headers=asked)
        assert answer.status >= 400
    spans = await told_trace(collector, trace_id, ("gateway.request", "logic.request", "repo.request"))
    assert spans["gateway.request"].parent_id == "b7ad6b7169203331"
    assert spans["gateway.request"].error == answer.error
    assert spans["logic.request"].error == answer.error


async def test_a_call_outside_the_streams_belongs_to_the_trace(traced: Cluster, collector: Collector) -> None:
    trace_id = "1af7651916cd43dd8448eb211c80319c"
    async with HttpClient(traced.url) as api:
        ann = await api.register()
        asked = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}
        answer = await api.call("GET", "/conversations", token=ann.access_token, headers=asked)
        assert answer.status == 200
    spans = await told_trace(collector, trace_id, ("gateway.request", "logic.request", "logic.call"))
    assert spans["logic.call"].parent_id == spans["logic.request"].span_id
    assert spans["logic.call"].attributes == {"request": "ReadHeadsRequest"}


async def test_what_is_not_sampled_is_not_told(traced: Cluster, collector: Collector) -> None:
    async with HttpClient(traced.url) as api:
        ann = await api.register()
    async with open_session(traced.socket_url, ann.access_token) as client:
        world = client.session.hello.world_conversation_id
        unsampled = await send_traced(client, world, "quiet", sampled=False)
        for _ in range(20):
            await client.ask_for("get_conversation", conversation_id=str(world))
        sampled = await send_traced(client, world, "loud")
    await told_trace(collector, sampled, ("gateway.request", "repo.append_batch"))
    assert not collector.trace(unsampled)
    with collector.changed:
        roots = [span for span in collector.spans if span.name == "gateway.request" and not span.parent_id]
    assert not roots, "only what clients asked for"


async def test_a_cluster_samples_by_itself_and_tells_the_rest_when_it_stops(
    collector: Collector, tmp_path: Path
) -> None:
    """Stopped at once, it still tells what it has; its clients' wishes count for nothing unless that is set."""
    settings = {"IM_TRACING__ENDPOINT": collector.endpoint, "IM_TRACING__SAMPLE_RATIO": "1"}
    with start_cluster(tmp_path, settings) as running:
        async with HttpClient(running.url) as api:
            ann = await api.register()
        async with open_session(running.socket_url, ann.access_token) as client:
            asked = await send_traced(client, client.session.hello.world_conversation_id, "Anybody?")

    def told(spans: list[ToldSpan]) -> bool:
        return any(span.attributes.get("operation") == "send" and not span.parent_id for span in spans)

    await asyncio.to_thread(collector.wait_for, told)
    assert not collector.trace(asked)


async def test_a_collector_that_is_away_holds_nothing_up(tmp_path: Path) -> None:
    """Neither what is asked nor the stop waits for it."""
    settings = {"IM_TRACING__ENDPOINT": "http://127.0.0.1:9", "IM_TRACING__SAMPLE_RATIO": "1"}
    with start_cluster(tmp_path, settings) as running:
        async with HttpClient(running.url) as api:
            guest = await api.guest()
            listed = await api.call("GET", "/conversations", token=guest.access_token)
            assert listed.status == 200
        stopped_at = time.monotonic()
    assert time.monotonic() - stopped_at < STOP_S, "it was killed"
    assert "Traceback" not in running.log_text()
