from im_logic.messaging.digest import DIGEST_BYTES, digest, number


def test_it_never_changes() -> None:
    """Stored digests are compared for 30 days: another value would turn repeated sends into conflicts."""
    assert digest((b"text", b"0", b"hello")).hex() == "5338f0dd7a70e2c25caf8041abc85b7d"


def test_where_one_field_ends_and_the_next_begins_matters() -> None:
    assert digest((b"ab", b"c")) != digest((b"a", b"bc")) != digest((b"abc",))
    assert len(digest(())) == DIGEST_BYTES


def test_numbers_are_told_by_value() -> None:
    assert number(0) == b"0"
    assert number(-5) == b"-5"
