from pathlib import Path

import pytest

from im_cli.chat.people import UNKNOWN_NAME, People
from im_sdk import ImError, User, UserKind
from tests.chat_support.values import GRACE, GUEST, ME, people


class Directory:
    def __init__(self, *users: User, error: ImError | None = None) -> None:
        self.users = {user.user_id: user for user in users}
        self.error = error
        self.asked: list[list[int]] = []

    async def get_users(self, user_ids: list[int]) -> list[User]:
        self.asked.append(user_ids)
        if self.error is not None:
            raise self.error
        return [self.users[user_id] for user_id in user_ids if user_id in self.users]


def test_names_of_oneself_of_others_and_of_the_server() -> None:
    known = people()
    assert [known.name(0), known.name(1), known.full_name(1), known.name(2)] == [
        "The server", "You", "Ada Lovelace", "Grace Hopper",
    ]  # fmt: skip


def test_plain_names_are_handles_or_guests_names() -> None:
    known = people()
    assert [known.plain_name(1), known.plain_name(3), known.plain_name(99)] == ["ada", "Visitor", "99"]


async def test_who_is_met_is_asked_for_once_in_batches() -> None:
    known = People(ME)
    for user_id in range(100, 250):
        assert known.name(user_id) == UNKNOWN_NAME
    directory = Directory(*(User(n, f"u{n}", f"U {n}", UserKind.REGISTERED) for n in range(100, 249)))
    await known.learn(directory)
    assert [len(batch) for batch in directory.asked] == [100, 50]
    assert [known.name(100), known.name(249)] == ["U 100", "Somebody"]
    await known.learn(directory)
    assert len(directory.asked) == 2


async def test_who_could_not_be_asked_for_stays_wanted() -> None:
    known = People(ME)
    known.find(2)
    with pytest.raises(ImError):
        await known.learn(Directory(error=ImError(0, "X", "x")))
    await known.learn(Directory(GRACE))
    assert known.name(2) == "Grace Hopper"


def test_names_are_kept_for_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "people.json"
    first = People(ME, path)
    first.meet(GRACE, GUEST)
    first.save()
    assert path.stat().st_mode & 0o777 == 0o600
    assert People(ME, path).name(3) == "Visitor"


def test_a_broken_file_of_names_costs_only_the_names(tmp_path: Path) -> None:
    path = tmp_path / "people.json"
    path.write_text("[[1, 2]", encoding="utf-8")
    assert People(ME, path).name(2) == UNKNOWN_NAME
