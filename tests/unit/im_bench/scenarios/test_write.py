"""What is written before a drive: answered, refused, or never answered."""

import asyncio

import pytest

from im_bench.adapters.abstract import AdapterError, Outcome, Refusal
from im_bench.scenarios import write as module
from im_bench.scenarios.write import write


class Answering:
    """A client that answers each send as it is told; with nothing once it has run out."""

    def __init__(self, *answers: Refusal | int) -> None:
        self._answers = list(answers)
        self.outcomes: list[Outcome] = []
        self.attempts: list[int] = []

    def send(self, conversation_id: int, message_id: str, text: str, outcome: Outcome, *, attempt: int) -> None:
        self.outcomes.append(outcome)
        self.attempts.append(attempt)
        if not self._answers:
            return
        answer = self._answers.pop(0)
        if isinstance(answer, Refusal):
            outcome.refused(answer)
        else:
            outcome.acked(answer)

    async def close(self) -> None: ...


async def test_a_refusal_is_waited_out() -> None:
    client = Answering(Refusal("OVERLOADED", retryable=True), 7)
    await write(client, 1, "text")
    assert client.attempts == [1, 2]


async def test_a_final_refusal_is_told() -> None:
    with pytest.raises(AdapterError, match="NOT_A_MEMBER"):
        await write(Answering(Refusal("NOT_A_MEMBER", retryable=False)), 1, "text")


async def test_who_never_answers_is_told_and_may_answer_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.01)
    client = Answering()
    async with asyncio.timeout(5):
        with pytest.raises(AdapterError, match="no answer"):
            await write(client, 1, "text")
    client.outcomes[0].acked(7)
    client.outcomes[0].refused(Refusal("OVERLOADED", retryable=True))
