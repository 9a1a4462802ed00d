"""After every piece of bad input the server still serves, has stored what it acknowledged, and logged no traceback."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from tests.support.cluster import Cluster
from tests.support.http_client import Account, HttpClient
from tests.support.ids import uuid7
from tests.support.socket_client import SocketClient, open_session


@dataclass(slots=True)
class Site:
    """A cluster, and an account with a group of its own, for one test."""

    cluster: Cluster
    http: HttpClient
    me: Account
    other: Account
    """In the group, too."""
    conversation_id: int
    acked: set[tuple[int, int]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where a WebSocket connects."""
        return self.cluster.socket_url

    def stored(self) -> set[tuple[int, int]]:
        """(conversation_id, seq) of the texts and custom messages of this account that are in the database."""
        statement = "SELECT conversation_id, seq FROM message WHERE sender_id = ? AND type IN (1, 2)"
        return set(self.cluster.query(statement, self.me.user_id))

    def says(self, **fields: object) -> dict[str, object]:
        """A good `send`, with some fields otherwise."""
        good = {"conversation_id": str(self.conversation_id), "content": {"text": {"text": "words"}}}
        return {**good, "client_message_id": uuid7(), **fields}


@pytest.fixture
async def site(cluster: Cluster) -> AsyncIterator[Site]:
    before = len(cluster.log_text())
    async with HttpClient(cluster.url) as http:
        me, other = await http.register(device_class="DEVICE_CLASS_BOT"), await http.register()
        made = await http.call(
            "POST", "/groups", token=me.access_token, json={"title": "Tea", "user_ids": [str(other.user_id)]},
            headers={"Idempotency-Key": uuid7()},
        )  # fmt: skip
        site = Site(cluster, http, me, other, int(made.body["head"]["conversation"]["conversation_id"]))
        yield site
        async with open_session(cluster.socket_url, other.access_token) as client:
            sent = await client.ask_for("send", **site.says())
            assert sent.HasField("send"), sent
        assert site.stored() == site.acked
    said = cluster.log_text()[before:]
    assert "Traceback" not in said, said[-4000:]
    assert "[error" not in said, said[-4000:]


@pytest.fixture(params=["im.v1.protobuf", "im.v1.json"])
async def client(site: Site, request: pytest.FixtureRequest) -> AsyncIterator[SocketClient]:
    """An open session, in each subprotocol; what was acknowledged on it must be stored."""
    async with open_session(site.url, site.me.access_token, subprotocol=request.param) as client:
        yield client
        site.acked |= client.acked
