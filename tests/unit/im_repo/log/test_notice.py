"""The one kind of body that is looked into."""

from typing import Any

from im_proto.v1.message_pb2 import Content, Dissolved, MembersChange, Notice, Text
from im_repo.log.draft import MemberChange
from im_repo.log.notice import changes_of, with_owner


def body(**change: object) -> Any:
    return Content(notice=Notice(**change)).SerializeToString()


def test_notices_tell_their_changes() -> None:
    said = MembersChange(actor_id=1, user_ids=[3, 2])
    assert changes_of(body(added=said)) == [MemberChange(3, 1), MemberChange(2, 1)]
    assert changes_of(body(created=said))[0].state == 1
    assert changes_of(body(left=said))[0].state == 2
    assert changes_of(body(removed=said))[0].state == 3


def test_other_bodies_tell_none() -> None:
    assert changes_of(body(dissolved=Dissolved(actor_id=1))) == []
    assert changes_of(Content(text=Text(text="x")).SerializeToString()) == []
    assert changes_of(b"") == []


def test_the_owner_is_put_in() -> None:
    changed = Content.FromString(with_owner(body(left=MembersChange(user_ids=[1])), 9))
    assert (changed.notice.left.owner_id, list(changed.notice.left.user_ids)) == (9, [1])


def test_other_bodies_stay_as_they_are() -> None:
    text = Content(text=Text(text="x")).SerializeToString()
    assert with_owner(text, 9) == text
