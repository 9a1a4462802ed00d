import pytest

from tests.harness.log_model import Entry, GroupModel, Kind

ANN, BEN = 1, 2


@pytest.fixture
def group() -> GroupModel:
    """Ann makes a group with Ben and writes two texts."""
    group = GroupModel()
    group.append(Entry(Kind.NOTICE, ANN), 1)
    for user_id in (ANN, BEN):
        group.join(user_id)
    group.append(Entry(Kind.TEXT, ANN, "one"), 2)
    group.append(Entry(Kind.TEXT, ANN, "two"), 3)
    return group


def test_a_seq_that_is_not_the_next_is_refused(group: GroupModel) -> None:
    with pytest.raises(AssertionError):
        group.append(Entry(Kind.TEXT, ANN, "five"), 5)


def test_texts_of_others_are_unread_until_read(group: GroupModel) -> None:
    assert (group.unread(ANN), group.unread(BEN)) == (0, 2)
    assert group.mark_read(BEN, 2) == 2
    assert group.unread(BEN) == 1
    assert group.mark_read(BEN, 1) == 2


def test_a_recall_is_not_unread_and_reads_as_nothing(group: GroupModel) -> None:
    group.append(Entry(Kind.RECALL, ANN, target=3), 4)
    assert group.unread(BEN) == 1
    assert group.readings(BEN, 3) == {None}


def test_an_edit_reads_as_its_new_text(group: GroupModel) -> None:
    group.append(Entry(Kind.EDIT, ANN, "2", target=3), 4)
    assert group.readings(BEN, 3) == {"2"}


def test_who_left_sees_up_to_the_leaving_and_reads_are_clamped_to_it(group: GroupModel) -> None:
    group.append(Entry(Kind.NOTICE, BEN), 4)
    group.leave(BEN)
    group.append(Entry(Kind.EDIT, ANN, "2", target=3), 5)
    group.append(Entry(Kind.RECALL, ANN, target=2), 6)
    assert group.visible(BEN) == [1, 2, 3, 4]
    assert group.mark_read(BEN, 6) == 4
    assert group.readings(BEN, 3) == {"two"}
    assert group.readings(BEN, 2) == {"one", None}


def test_who_comes_back_sees_what_is_after(group: GroupModel) -> None:
    group.append(Entry(Kind.NOTICE, BEN), 4)
    group.leave(BEN)
    group.append(Entry(Kind.TEXT, ANN, "missed"), 5)
    group.append(Entry(Kind.NOTICE, ANN), 6)
    group.join(BEN)
    assert group.is_in(BEN)
    assert group.visible(BEN) == [1, 2, 3, 4, 6]
