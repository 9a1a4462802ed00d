"""What a run is to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any
from uuid import uuid4

from im_bench.accounts import Account
from im_bench.load.crew import Person
from im_bench.load.schedule import Part
from im_bench.run.messages import Assignment
from im_bench.run.target import Target
from im_bench.scenarios.abstract import Scenario
from im_bench.scenarios.option import Settings


@dataclass(frozen=True, slots=True)
class Plan:
    """A run before it begins."""

    scenario: type[Scenario[Any]]
    settings: Settings
    target: Target
    accounts: Sequence[Account]
    """As many as the scenario's `people` says."""
    adapter: str = "im"
    workers: int = 1
    source_addresses: Sequence[str] = ()

    def assignments(self) -> list[Assignment]:
        """Each process's part: neighbours stay together, sizes differ by one group at most, nobody's process is idle."""
        people = [Person(index, account) for index, account in enumerate(self.accounts)]
        together = self.scenario.people(self.settings).together
        groups = [people[start : start + together] for start in range(0, len(people), together)]
        run, count = uuid4().hex[:8], min(self.workers, len(groups))
        parts, left = [Part(index, count) for index in range(count)], iter(groups)
        return [
            Assignment(
                run=run,
                scenario=self.scenario.name,
                settings=self.settings,
                adapter=self.adapter,
                endpoint=self.target.endpoint,
                part=part,
                people=list(chain.from_iterable(islice(left, part.share(len(groups))))),
                source_addresses=self.source_addresses,
            )
            for part in parts
        ]
