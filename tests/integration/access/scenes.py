"""A subject's relations to a conversation, each made anew: by the API where it can be, else planted in the database."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from im_proto.v1.conversation_pb2 import (
    MEMBER_ROLE_ADMIN,
    MEMBER_ROLE_MEMBER,
    MEMBER_ROLE_OWNER,
    MEMBER_STATE_BANNED,
    MEMBER_STATE_IN,
)
from tests.integration.access.people import People
from tests.support.cluster import Cluster
from tests.support.http_client import Account, Answer, HttpClient
from tests.support.ids import uuid7

NOWHERE: Final = 1 << 50
"""No conversation has this id."""


_PUT_MEMBER: Final = """
    INSERT OR REPLACE INTO member
        (conversation_id, user_id, role, state, muted_until_time, joined_time, left_time, version)
    VALUES (?, ?, ?, ?, 0, 1, ?, 1)
"""
_PUT_WINDOW: Final = "INSERT INTO member_window (conversation_id, user_id, from_seq, to_seq) VALUES (?, ?, ?, ?)"
_MOVE_FENCES: Final = """
    UPDATE conversation SET
        member_version = member_version + 1,
        deny_version = deny_version + 1,
        member_count = CASE kind WHEN 3 THEN 0 ELSE (
            SELECT count(*) FROM member WHERE state = 1 AND member.conversation_id = conversation.conversation_id
        ) END
    WHERE conversation_id = ?
"""


@dataclass(slots=True)
class Scene:
    """A conversation, and what of its log the subject may see."""

    kind: str
    relation: str
    subject: Account
    host: Account
    other: Account
    stranger: Account
    conversation_id: int = 0
    visible: set[int] = field(default_factory=set)
    hidden: set[int] = field(default_factory=set)
    own_seq: int = 0
    """A text of the subject, or, where it could say nothing, another one of the host that it sees."""
    host_seq: int = 0
    """A text of the host that the subject sees."""

    @property
    def in_world(self) -> bool:
        """The log is everybody's: other scenes write to it, too."""
        return self.relation == "world"

    def saw(self, seq: int) -> None:
        """An entry that the subject sees."""
        self.visible.add(seq)

    def missed(self, seq: int) -> None:
        """An entry that it must not."""
        self.hidden.add(seq)


class Stage:
    """Makes scenes.

    Args:
        cluster: where.
        http: how.
        people: who.
        world_id: the world room.
    """

    def __init__(self, cluster: Cluster, http: HttpClient, people: People, world_id: int) -> None:
        self._cluster = cluster
        self._http = http
        self._people = people
        self._world_id = world_id

    async def scene(self, kind: str, relation: str) -> Scene:
        """A new conversation in which the subject of a kind has a relation."""
        people = self._people
        subject = (people.outcasts if relation == "world_banned" else people.subjects)[kind]
        scene = Scene(kind, relation, subject, people.host, people.other, people.stranger)
        await _RELATIONS[relation](self, scene)
        return scene

    # relations to a group

    async def owner(self, scene: Scene) -> None:
        if scene.kind == "guest":  # no operation lets a guest own a group
            await self._came(scene)
            self._set_role(scene, MEMBER_ROLE_OWNER)
            return
        scene.conversation_id = await self._group(scene.subject, scene.host, scene.other)
        scene.saw(1)
        await self._talk(scene)

    async def admin(self, scene: Scene) -> None:
        await self._came(scene)
        self._set_role(scene, MEMBER_ROLE_ADMIN)

    async def member(self, scene: Scene) -> None:
        await self._came(scene)

    async def rejoined(self, scene: Scene) -> None:
        await self.removed(scene)
        await self._join(scene)
        scene.host_seq = await self._say(scene.host, scene)
        scene.saw(scene.host_seq)
        await self._own(scene)

    async def left(self, scene: Scene) -> None:
        await self._came(scene)
        await self._go(scene, scene.subject, "POST", f"/groups/{scene.conversation_id}/leave")

    async def removed(self, scene: Scene) -> None:
        await self._came(scene)
        path = f"/groups/{scene.conversation_id}/members/{scene.subject.user_id}"
        await self._go(scene, scene.host, "DELETE", path)

    async def banned(self, scene: Scene) -> None:
        await self.removed(scene)
        self._cluster.plant(
            (
                "UPDATE member SET state = ? WHERE conversation_id = ? AND user_id = ?",
                (MEMBER_STATE_BANNED, scene.conversation_id, scene.subject.user_id),
            ),
            self._moved(scene),
        )

    async def never(self, scene: Scene) -> None:
        scene.conversation_id = await self._group(scene.host, scene.other)
        scene.missed(1)
        scene.own_seq = scene.host_seq = await self._say(scene.host, scene)
        scene.missed(scene.host_seq)

    async def dissolved(self, scene: Scene) -> None:
        await self._came(scene)
        answer = await self._call(scene.host, "DELETE", f"/groups/{scene.conversation_id}", uuid7())
        scene.saw(int(answer.body["entry"]["seq"]))

    # relations to other conversations

    async def direct(self, scene: Scene) -> None:
        scene.host = await self._http.register()
        scene.conversation_id = await self._direct(scene.host, scene.subject)
        await self._talk(scene)

    async def direct_never(self, scene: Scene) -> None:
        scene.host = await self._http.register()
        scene.conversation_id = await self._direct(scene.host, scene.other)
        scene.own_seq = scene.host_seq = await self._say(scene.host, scene)
        scene.missed(scene.host_seq)

    async def world(self, scene: Scene) -> None:
        scene.conversation_id = self._world_id
        await self._talk(scene)

    async def world_banned(self, scene: Scene) -> None:
        scene.conversation_id = self._world_id
        scene.own_seq = scene.host_seq = await self._say(scene.host, scene)
        if not self._cluster.query("SELECT 1 FROM member WHERE user_id = ?", scene.subject.user_id):
            self._place(scene, role=MEMBER_ROLE_MEMBER, state=MEMBER_STATE_BANNED, windows=[(1, scene.host_seq)])
        ((last,),) = self._cluster.query(
            "SELECT to_seq FROM member_window WHERE user_id = ? AND conversation_id = ?",
            scene.subject.user_id,
            scene.conversation_id,
        )
        scene.own_seq = scene.host_seq = last
        scene.visible = set(range(1, last + 1))
        scene.missed(await self._say(scene.host, scene))

    async def nowhere(self, scene: Scene) -> None:
        scene.conversation_id = NOWHERE
        scene.own_seq = scene.host_seq = 1
        scene.missed(1)

    # steps

    async def _came(self, scene: Scene) -> None:
        """A group that was there before the subject; the subject comes, and both talk."""
        scene.conversation_id = await self._group(scene.host, scene.other)
        scene.missed(1)
        scene.missed(await self._say(scene.host, scene))
        await self._join(scene)
        await self._talk(scene)

    async def _join(self, scene: Scene) -> None:
        if scene.kind == "guest":  # no operation puts a guest into a group
            windows = [(max(scene.visible | scene.hidden) + 1, 0)]
            self._place(scene, role=MEMBER_ROLE_MEMBER, state=MEMBER_STATE_IN, windows=windows)
            return
        path = f"/groups/{scene.conversation_id}/members"
        answer = await self._call(scene.host, "POST", path, uuid7(), user_ids=[str(scene.subject.user_id)])
        scene.saw(int(answer.body["entry"]["seq"]))

    async def _go(self, scene: Scene, actor: Account, method: str, path: str) -> None:
        answer = await self._call(actor, method, path, uuid7())
        scene.saw(int(answer.body["entry"]["seq"]))
        scene.missed(await self._say(scene.host, scene))

    async def _talk(self, scene: Scene) -> None:
        scene.host_seq = await self._say(scene.host, scene)
        scene.saw(scene.host_seq)
        await self._own(scene)

    async def _own(self, scene: Scene) -> None:
        if scene.kind == "guest" and scene.relation not in {"world", "direct"}:
            scene.own_seq = await self._say(scene.host, scene)  # a guest can say nothing there
        else:
            scene.own_seq = await self._say(scene.subject, scene)
        scene.saw(scene.own_seq)

    async def _say(self, who: Account, scene: Scene) -> int:
        path = f"/conversations/{scene.conversation_id}/messages"
        answer = await self._call(who, "POST", path, uuid7(), content={"text": {"text": "words"}})
        return int(answer.body["seq"])

    async def _group(self, owner: Account, *members: Account) -> int:
        user_ids = [str(member.user_id) for member in members]
        answer = await self._call(owner, "POST", "/groups", uuid7(), title="Tea", user_ids=user_ids)
        return int(answer.body["head"]["conversation"]["conversation_id"])

    async def _direct(self, one: Account, two: Account) -> int:
        answer = await self._call(one, "POST", "/conversations", "", user_id=str(two.user_id))
        return int(answer.body["head"]["conversation"]["conversation_id"])

    async def _call(self, who: Account, method: str, path: str, key: str, **body: object) -> Answer:
        headers = {"Idempotency-Key": key} if key else {}
        answer = await self._http.call(method, path, token=who.access_token, json=body or None, headers=headers)
        assert answer.status == 200, (method, path, answer)
        return answer

    # what no operation does

    def _set_role(self, scene: Scene, role: int) -> None:
        self._cluster.plant(
            (
                "UPDATE member SET role = ? WHERE conversation_id = ? AND user_id = ?",
                (role, scene.conversation_id, scene.subject.user_id),
            ),
            self._moved(scene),
        )

    def _place(self, scene: Scene, *, role: int, state: int, windows: list[tuple[int, int]]) -> None:
        key = (scene.conversation_id, scene.subject.user_id)
        self._cluster.plant(
            (_PUT_MEMBER, (*key, role, state, 0 if state == MEMBER_STATE_IN else 1)),
            *((_PUT_WINDOW, (*key, *window)) for window in windows),
            self._moved(scene),
        )

    def _moved(self, scene: Scene) -> tuple[str, tuple[object, ...]]:
        """Both fences move, as with any change that takes a right away."""
        return (_MOVE_FENCES, (scene.conversation_id,))


_RELATIONS: Final[dict[str, Callable[[Stage, Scene], Awaitable[None]]]] = {
    "owner": Stage.owner,
    "admin": Stage.admin,
    "member": Stage.member,
    "rejoined": Stage.rejoined,
    "left": Stage.left,
    "removed": Stage.removed,
    "banned": Stage.banned,
    "never": Stage.never,
    "dissolved": Stage.dissolved,
    "direct": Stage.direct,
    "direct_never": Stage.direct_never,
    "world": Stage.world,
    "world_banned": Stage.world_banned,
    "nowhere": Stage.nowhere,
}
RELATIONS: Final = tuple(_RELATIONS)
