from im_sdk._credentials import RESUME_TTL_MS, AccessToken, Credentials, Way

HOUR = 3_600_000


def test_a_resume_token_comes_first_and_works_once() -> None:
    credentials = Credentials(AccessToken("a", HOUR), renewable=True)
    credentials.keep_resume("r", 1_000)
    assert credentials.way(2_000) is Way.RESUME
    assert credentials.take_resume() == "r"
    assert credentials.take_resume() == ""
    assert credentials.way(2_000) is Way.ACCESS


def test_an_old_resume_token_is_not_tried() -> None:
    credentials = Credentials(AccessToken("a", HOUR), renewable=True)
    credentials.keep_resume("r", 0)
    assert credentials.way(RESUME_TTL_MS) is Way.ACCESS


def test_a_token_near_its_end_is_renewed_first() -> None:
    access = AccessToken("a", HOUR)
    assert access.renew_time() == HOUR - 120_000
    assert Credentials(access, renewable=True).way(HOUR - 120_000) is Way.REFRESH
    assert Credentials(access, renewable=False).way(HOUR - 120_000) is Way.ACCESS


def test_a_short_life_is_renewed_at_two_thirds() -> None:
    assert AccessToken("a", 90_000, issued_time=60_000).renew_time() == 80_000


def test_without_a_token() -> None:
    assert Credentials(None, renewable=True).way(0) is Way.REFRESH
    assert Credentials(None, renewable=False).way(0) is Way.NONE
    assert Credentials(None, renewable=False).renew_time() is None


def test_a_token_of_unknown_life_is_used_until_the_server_objects() -> None:
    credentials = Credentials(AccessToken("a", 0), renewable=True)
    assert credentials.way(HOUR) is Way.ACCESS
    assert credentials.renew_time() is None


def test_tokens_are_not_printed() -> None:
    assert "secret" not in repr(AccessToken("secret", 5))
