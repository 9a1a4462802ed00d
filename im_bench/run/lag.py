"""How many records wait in the bus, read where the server's processes tell their metrics."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

LAG_METRIC: Final = "im_bus_lag_items"
INTERVAL_S: Final = 1.0
TIMEOUT_S: Final = 1.0


def lag_of(page: str) -> dict[str, float]:
    """The lag by topic that one process tells in its page of metrics."""
    found: defaultdict[str, float] = defaultdict(float)
    for family in text_string_to_metric_families(page):
        if family.name == LAG_METRIC:
            for sample in family.samples:
                found[sample.labels.get("topic", "")] += sample.value
    return dict(found)


class LagProbe:
    """Asks the processes again and again; what cannot be read is left out, never guessed.

    Args:
        urls: pages of metrics; none: nothing is asked.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = tuple(urls)
        self.lag: dict[str, float] = {}
        """The last answer, by topic."""

    async def run(self) -> None:
        """Ask until cancelled."""
        if not self._urls:
            return
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
            while True:
                pages = await asyncio.gather(*(self._page(client, url) for url in self._urls))
                lag: defaultdict[str, float] = defaultdict(float)
                for page in pages:
                    for topic, records in lag_of(page).items():
                        lag[topic] += records
                self.lag = dict(lag)
                await asyncio.sleep(INTERVAL_S)

    @staticmethod
    async def _page(client: httpx.AsyncClient, url: str) -> str:
        try:
            response = await client.get(url, params={"name[]": LAG_METRIC})
        except httpx.HTTPError:
            return ""
        return response.text if response.is_success else ""
