"""What ends a run after its drive."""

import asyncio

import pytest

from im_bench.load.sender import SendRefusedError
from im_bench.scenarios.private import PrivateScenario, PrivateSettings
from tests.unit.im_bench.load.test_crew import make


async def test_a_final_refusal_among_the_last_answers_ends_the_run() -> None:
    """It was never told after the drive: the send stayed busy until the drain was over, and the run was GOOD."""
    crew = make()
    scenario = PrivateScenario(crew, PrivateSettings(drain=600))
    seat = await crew.connect(crew.people[0])
    sender = scenario.add(seat, await crew.adapter.join([], seat.client))
    assert sender is not None
    sender.offer(0.0)
    asyncio.get_running_loop().call_later(0.01, crew.fail, SendRefusedError("NOT_A_MEMBER"))
    async with asyncio.timeout(10):
        with pytest.raises(SendRefusedError, match="NOT_A_MEMBER"):
            await scenario.settle([])
    await crew.close()
