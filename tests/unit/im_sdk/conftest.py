from collections.abc import AsyncIterator, Callable

import pytest

from tests.sdk_support.device import Device
from tests.sdk_support.live_server import LiveServer
from tests.sdk_support.model_server import ModelServer


@pytest.fixture
def server() -> ModelServer:
    return ModelServer()


@pytest.fixture
def device(server: ModelServer) -> Callable[..., Device]:
    """Makes devices of the model server."""

    def make(user_id: int = 1, **settings: object) -> Device:
        return Device(server, user_id, **settings)  # type: ignore[arg-type]

    return make


@pytest.fixture
async def live(server: ModelServer) -> AsyncIterator[LiveServer]:
    async with LiveServer(server) as running:
        yield running
