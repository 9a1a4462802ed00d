import asyncio

import pytest

from im_infra import error_table
from im_infra.errors import ImError, NotStartedError
from im_infra.rpc.peer import Peer
from im_logic.repo_stream import TRIES, RepoStream
from im_proto.repo.v1.conversation_pb2 import ConversationState
from im_proto.repo.v1.stream_pb2 import ConfirmedRange, CursorMove
from tests.logic_support.scripted_repo import ScriptedRepo, group


async def test_a_process_that_drains_is_left_for_another() -> None:
    repo = ScriptedRepo()
    repo.states[5] = group(5, 1)
    repo.failures.extend([NotStartedError()] * (TRIES - 1))
    answers: list[ConversationState | ImError | None] = []
    RepoStream(repo).load_conversation(5, 1, lambda state, error: answers.append(state or error))
    assert isinstance(answers[0], ConversationState)


async def test_when_all_drain_it_is_unavailable() -> None:
    repo = ScriptedRepo()
    repo.failures.extend([NotStartedError()] * TRIES)
    with pytest.raises(ImError) as caught:
        await RepoStream(repo).read_entries(5, 1, 1)
    assert caught.value.reason is error_table.UNAVAILABLE


async def test_without_any_process_the_answer_comes_after_the_call() -> None:
    """A callback within the call would find the caller's books half written."""
    repo = ScriptedRepo(ready=False)
    answers: list[ConversationState | ImError | None] = []
    RepoStream(repo).load_conversation(5, 1, lambda state, error: answers.append(state or error))
    assert not answers
    await asyncio.sleep(0)
    assert isinstance(answers[0], ImError)


async def test_cursors_come_back_as_stored() -> None:
    repo = ScriptedRepo()
    repo.states[5] = group(5, 1)
    stream = RepoStream(repo)
    move = CursorMove(user_id=1, conversation_id=5, seq=3)
    assert [cursor.read_seq for cursor in await stream.mark_reads([move])] == [3]
    assert [cursor.received_seq for cursor in await stream.mark_received([move])] == [3]


async def test_a_confirmation_goes_to_the_boot_that_answered_or_nowhere() -> None:
    repo = ScriptedRepo()
    stream = RepoStream(repo)
    stream.confirm(repo, "another", [ConfirmedRange(outbox_id=1)])
    assert not repo.confirmed
    stream.confirm(repo, "boot", [ConfirmedRange(outbox_id=1)])
    assert repo.confirmed
    assert stream.client_of(Peer("repo", "boot")) is repo
    assert stream.client_of(Peer("repo", "another")) is None
