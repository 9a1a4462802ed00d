"""Who may do and read what: every operation, for every kind of account, in every relation to a conversation."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from im_proto.v1.frame_pb2 import ClientFrame
from tests.integration.access.asking import Asking, OverHttp, OverSocket, Reply, Route
from tests.integration.access.expected import ACCOUNTS, ANYWHERE, CASES, IN_CONVERSATION, NOTHING, OK, outcome
from tests.integration.access.operations import ASK, ENDINGS, WRITES, may_show
from tests.integration.access.people import KINDS, People
from tests.integration.access.scenes import RELATIONS, Scene, Stage
from tests.support.cluster import Cluster
from tests.support.http_client import Account, HttpClient
from tests.support.socket_client import JSON, PROTOBUF, open_session

AT_ONCE = 6
"""Scenes under way together: the cluster has the cores to itself for little else."""


def operation_of(case: str) -> str:
    return case.partition("/")[0]


def test_every_operation_of_the_socket_has_a_row() -> None:
    operations = {field.name for field in ClientFrame.DESCRIPTOR.oneofs_by_name["operation"].fields}
    assert {operation_of(case) for case in CASES} == operations
    assert set(ASK) == set(CASES)


def test_every_route_of_the_http_api_has_a_row(routes: list[Route]) -> None:
    assert {route.target for route in routes} <= {*map(operation_of, CASES), *ACCOUNTS}
    assert set(ACCOUNTS) <= {route.target for route in routes}


class Asker:
    """The ways of one kind of account: the subject's, and that of the one who is banned from the world room."""

    def __init__(self, subject: Asking, outcast: Asking) -> None:
        self._subject = subject
        self._outcast = outcast

    def of(self, relation: str) -> Asking:
        return self._outcast if relation == "world_banned" else self._subject


class Sheet:
    """What came, and where it differs from the table."""

    def __init__(self) -> None:
        self.cells = 0
        self.wrong: list[str] = []

    def note(self, scene: Scene, case: str, expected: str, reply: Reply) -> None:
        self.cells += 1
        where = f"{case} by {scene.kind}, {scene.relation}"
        if reply.outcome != expected:
            self.wrong.append(f"{where}: {reply.outcome} instead of {expected} ({reply.frame.error.message})")
        elif expected in {OK, NOTHING}:
            try:
                may_show(case, scene, reply.frame)
            except AssertionError as error:
                self.wrong.append(f"{where}: {str(error)[:600]}\n{scene}\n{str(reply.frame)[:1500]}")

    def note_entries(self, scene: Scene, came: int, expected: int) -> None:
        if came != expected:
            self.wrong.append(f"{came} instead of {expected} entries by {scene.kind}, {scene.relation}")


async def play(stage: Stage, asker: Asker, sheet: Sheet, cluster: Cluster, kind: str, relation: str) -> None:
    """All cases of a relation: first what only reads, then what writes; no refusal may leave a trace in the log."""
    scene, asking = await stage.scene(kind, relation), asker.of(relation)
    expected = {case: outcome(case, relation, kind) for case in IN_CONVERSATION}
    cases = [case for case, wanted in expected.items() if wanted != "-" and asking.can(operation_of(case))]

    async def ask(case: str, scene: Scene) -> None:
        sheet.note(scene, case, expected[case], await asking.ask(operation_of(case), ASK[case](scene)))

    before = stored(cluster, scene)
    await asyncio.gather(*(ask(case, scene) for case in cases if case not in WRITES))
    alone = [case for case in cases if case in ENDINGS and expected[case] == OK]
    written = [case for case in WRITES if case in cases and case not in alone]
    for case in written:
        await ask(case, scene)
    if not relation.startswith("world"):
        sheet.note_entries(scene, stored(cluster, scene) - before, sum(expected[case] == OK for case in written))
    for case in alone:
        await ask(case, await stage.scene(kind, relation))


def stored(cluster: Cluster, scene: Scene) -> int:
    ((count,),) = cluster.query("SELECT count(*) FROM message WHERE conversation_id = ?", scene.conversation_id)
    return int(count)


@contextlib.asynccontextmanager
async def asking_as(
    account: Account, face: str, cluster: Cluster, http: HttpClient, routes: list[Route]
) -> AsyncIterator[Asking]:
    if face == "http":
        yield OverHttp(http, routes, account.access_token)
        return
    async with open_session(cluster.socket_url, account.access_token, subprotocol=face) as client:
        yield OverSocket(client)


@pytest.mark.parametrize(
    ("face", "kind"),
    [*((JSON, kind) for kind in KINDS), *(("http", kind) for kind in KINDS), (PROTOBUF, "registered")],
)
async def test_every_cell(
    stage: Stage, people: People, cluster: Cluster, http: HttpClient, routes: list[Route], face: str, kind: str
) -> None:
    sheet, turns = Sheet(), asyncio.Semaphore(AT_ONCE)
    async with (
        asking_as(people.subjects[kind], face, cluster, http, routes) as subject,
        asking_as(people.outcasts[kind], face, cluster, http, routes) as outcast,
    ):
        asker = Asker(subject, outcast)

        async def in_turn(relation: str) -> None:
            async with turns:
                await play(stage, asker, sheet, cluster, kind, relation)

        await asyncio.gather(*(in_turn(relation) for relation in RELATIONS))
        await anywhere(subject, people, sheet, kind)
    assert not sheet.wrong, "\n" + "\n".join(sheet.wrong)
    assert sheet.cells > 200


async def anywhere(subject: Asking, people: People, sheet: Sheet, kind: str) -> None:
    """What has to do with no conversation that is there."""
    scene = Scene(kind, "anywhere", people.subjects[kind], people.host, people.subjects["guest"], people.stranger)
    for case, by_kind in ANYWHERE.items():
        if subject.can(operation_of(case)):
            sheet.note(scene, case, by_kind[kind], await subject.ask(operation_of(case), ASK[case](scene)))
