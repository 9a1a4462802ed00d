"""An etcd of the test's own prefix."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from im_cli.engines.engine import Engine
from im_infra.clock import SystemClock
from im_infra.discovery.etcd.connection import EtcdConnection
from im_infra.discovery.etcd.discovery import EtcdDiscovery, open_etcd
from im_infra.discovery.settings import EtcdSettings
from im_infra.observability.metrics import Metrics


@pytest.fixture
def etcd_settings(etcd_engine: Engine, tmp_path: Path) -> EtcdSettings:
    return EtcdSettings(endpoints=(etcd_engine.address,), prefix=f"/{tmp_path.name}/", lease_ttl_s=2, timeout_s=1.0)


@pytest.fixture
async def connection(etcd_settings: EtcdSettings) -> AsyncIterator[EtcdConnection]:
    opened = EtcdConnection(etcd_settings)
    yield opened
    await opened.close()


@pytest.fixture
def open_registry(etcd_settings: EtcdSettings) -> Callable[..., AbstractAsyncContextManager[EtcdDiscovery]]:
    @asynccontextmanager
    async def opener(*, metrics: Metrics | None = None, **options: Any) -> AsyncIterator[EtcdDiscovery]:
        settings = etcd_settings.model_copy(update=options)
        async with open_etcd(settings, SystemClock(), metrics or Metrics()) as discovery:
            yield discovery

    return opener
