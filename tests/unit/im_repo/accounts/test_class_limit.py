"""Room in a class."""

import pytest

from im_repo.accounts.class_limit import displaced_by_new


@pytest.mark.parametrize(
    ("rivals", "limit", "displaced"),
    [("", 1, ""), ("a", 1, "a"), ("ab", 3, ""), ("abc", 3, "a"), ("abcde", 3, "abc"), ("abc", 0, "")],
)
def test_the_oldest_make_room(rivals: str, limit: int, displaced: str) -> None:
    assert list(displaced_by_new(list(rivals), class_limit=limit)) == list(displaced)
