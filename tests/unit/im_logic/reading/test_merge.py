from im_logic.reading.merge import Merge, Move


def test_the_greatest_wins_and_everybody_waits_for_it() -> None:
    merge: Merge[str] = Merge(10)
    for seq, waiter in ((2, "a"), (5, "b"), (3, "c")):
        assert merge.add(Move(1, 9, seq), waiter)
    ((move,),) = merge.batches(10)
    assert move == Move(1, 9, 5)
    assert merge.waiters(move) == ["a", "b", "c"]


def test_nobody_has_to_wait() -> None:
    merge: Merge[str] = Merge(10)
    merge.add(Move(1, 9, 2))
    assert merge.waiters(Move(1, 9, 2)) == []


def test_portions_are_in_the_order_of_locks() -> None:
    merge: Merge[str] = Merge(10)
    for user_id, conversation_id in ((2, 8), (1, 9), (1, 8)):
        merge.add(Move(user_id, conversation_id, 1))
    assert [[move[:2] for move in some] for some in merge.batches(2)] == [[(1, 8), (2, 8)], [(1, 9)]]


def test_full_it_takes_what_it_knows_and_nothing_new() -> None:
    merge: Merge[str] = Merge(1)
    assert merge.add(Move(1, 9, 1))
    assert not merge.add(Move(1, 8, 1))
    assert merge.add(Move(1, 9, 2))
    assert len(merge) == 1
