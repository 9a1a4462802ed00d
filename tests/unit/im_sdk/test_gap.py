from im_sdk._gap import HELD_LIMIT, Lost, Track


def test_the_next_entry_is_given_at_once() -> None:
    track: Track[str] = Track(seq=4)
    assert list(track.offer(5, "five")) == ["five"]
    assert track.seq == 5
    assert not track.behind


def test_what_was_given_is_dropped() -> None:
    track: Track[str] = Track(seq=4)
    assert list(track.offer(4, "again")) == []
    assert list(track.offer(1, "again")) == []


def test_an_entry_ahead_waits_for_its_predecessors() -> None:
    track: Track[str] = Track(seq=4)
    assert list(track.offer(7, "seven")) == []
    assert list(track.offer(6, "six")) == []
    assert track.gap() == (5, 5)
    assert list(track.offer(5, "five")) == ["five", "six", "seven"]
    assert (track.seq, track.known_seq, track.behind) == (7, 7, False)


def test_the_cursor_is_the_contiguous_prefix_not_the_highest_seen() -> None:
    track: Track[str] = Track(seq=4)
    track.offer(100, "hundred")
    assert track.seq == 4


def test_too_many_ahead_are_left_to_the_read() -> None:
    track: Track[int] = Track()
    for seq in range(2, HELD_LIMIT + 10):
        track.offer(seq, seq)
    assert len(track.held) == HELD_LIMIT
    given = track.offer(1, 1)
    assert list(given) == list(range(1, HELD_LIMIT + 2))
    assert track.gap() == (HELD_LIMIT + 2, HELD_LIMIT + 9)


def test_a_read_fills_the_gap_and_frees_what_waited() -> None:
    track: Track[str] = Track(seq=1)
    track.offer(5, "five")
    assert track.fill([(2, "two"), (3, "three"), (4, "four")], end=4) == ["two", "three", "four", "five"]
    assert not track.behind


def test_a_read_that_covers_a_hole_says_that_it_is_lost() -> None:
    track: Track[str] = Track(seq=1)
    track.tell(9)
    assert track.fill([(4, "four"), (6, "six")], end=8) == [Lost(2, 3), "four", Lost(5, 5), "six", Lost(7, 8)]
    assert track.gap() == (9, 9)


def test_the_present_state_of_a_read_wins_over_the_push() -> None:
    track: Track[str] = Track(seq=1)
    track.offer(3, "pushed")
    assert track.fill([(2, "two"), (3, "edited")], end=3) == ["two", "edited"]


def test_a_push_that_the_read_left_out_is_kept() -> None:
    track: Track[str] = Track(seq=1)
    track.offer(3, "three")
    assert track.fill([(2, "two")], end=4) == ["two", "three", Lost(4, 4)]


def test_a_fresh_track_starts_at_its_first_read() -> None:
    track: Track[str] = Track(fresh=True)
    assert track.behind
    assert track.gap() == (0, 0)
    assert list(track.offer(52, "pushed")) == []
    assert track.start([(50, "fifty"), (51, "more")], epoch=3, max_seq=51) == ["fifty", "more", "pushed"]
    assert (track.seq, track.epoch, track.behind) == (52, 3, False)


def test_a_fresh_track_of_an_empty_log() -> None:
    track: Track[str] = Track(fresh=True)
    assert track.start([], epoch=1, max_seq=0) == []
    assert list(track.offer(1, "one")) == ["one"]


def test_skipping_leaves_what_lies_above() -> None:
    track: Track[str] = Track(seq=1)
    track.offer(5, "five")
    track.offer(9, "nine")
    assert track.skip_to(6) == Lost(2, 6)
    assert track.gap() == (7, 8)
    assert track.skip_to(3) is None


def test_a_rewind_goes_back_and_tells_whether_something_was_shown() -> None:
    track: Track[str] = Track(epoch=1, seq=10)
    track.offer(12, "old")
    assert track.rewind(epoch=2, rewind_seq=7)
    assert (track.epoch, track.seq, track.known_seq, track.held) == (2, 7, 7, {})
    assert not track.rewind(epoch=3, rewind_seq=8)
    assert track.seq == 7


def test_a_change_older_than_what_was_given_is_no_news() -> None:
    track: Track[str] = Track(seq=5)
    track.note_change(3, 9)
    assert not track.is_news(3, 8)
    assert not track.is_news(3, 9)
    assert track.is_news(3, 10)
    assert track.is_news(4, 6)


def test_notes_of_changes_do_not_pile_up() -> None:
    track: Track[str] = Track(seq=10_000)
    for seq in range(5_000):
        track.note_change(seq, seq + 1)
    assert len(track.changed) <= HELD_LIMIT
