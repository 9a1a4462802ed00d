"""What a running cluster tells of every hop, as Prometheus would read it."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.support.cluster import Cluster
from tests.support.http_client import HttpClient
from tests.support.socket_client import open_session
from tests.support.traced import send_traced


def scrape(cluster: Cluster) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample by its name and labels."""
    text = httpx.get(f"{cluster.internal_url}/metrics", trust_env=False).text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_every_hop_tells_what_went_over_it(cluster: Cluster) -> None:
    before = scrape(cluster)
    async with HttpClient(cluster.url) as api:
        ann, bob = await api.register(), await api.register()
    async with (
        open_session(cluster.socket_url, ann.access_token) as one,
        open_session(cluster.socket_url, bob.access_token) as other,
    ):
        opened = await one.ask_for("open_direct", user_id=str(bob.user_id))
        await send_traced(one, opened.open_direct.head.conversation.conversation_id, "counted")
        await other.until(lambda frame: frame.message_push.message.content.text.text == "counted")
        world = one.session.hello.world_conversation_id
        await send_traced(one, world, "counted, everybody")
        await one.until(lambda frame: frame.HasField("head_push"))
    after = scrape(cluster)

    def grew(name: str, **labels: str) -> bool:
        key = name, frozenset(labels.items())
        return after[key] > before.get(key, 0)

    for hop in ("gateway_logic", "logic_repo", "task_gateway"):
        assert grew("im_rpc_frame_items_count", hop=hop, side="asking"), hop
        assert grew("im_rpc_request_seconds_count", hop=hop), hop
        assert after["im_rpc_streams", frozenset({("hop", hop), ("side", "asking")})] == 1
        assert after["im_rpc_credit_requests", frozenset({("hop", hop)})] > 0
        assert after["im_rpc_waiting_requests", frozenset({("hop", hop)})] == 0
    for hop in ("gateway_logic", "repo", "task_gateway"):
        assert grew("im_rpc_frame_items_count", hop=hop, side="answering"), hop
    for name in ("im_logic_delivery_batch_items_sum", "im_task_fan_out_records_sum", "im_repo_append_batch_items_sum"):
        assert grew(name), name
    assert ("im_logic_waiting_deliveries", frozenset({("queue", "post")})) in after
    assert ("im_bus_lag_items", frozenset({("topic", "im.fanout")})) in after
