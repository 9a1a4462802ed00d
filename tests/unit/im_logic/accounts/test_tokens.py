"""Access and refresh tokens."""

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.token_keys import TokenKeys
from im_logic.accounts.model import DeviceClass, Installation, Session, User
from im_logic.accounts.tokens import SECRET_BYTES, AccessTokens, RefreshSecret, decoded, encoded

NOW = 1_800_000_000_999
KEYS = TokenKeys({"k1": SecretStr("1" * 32), "k2": SecretStr("2" * 32)}, active="k2")
USER = User(user_id=2**60, handle="alice", display_name="Alice", kind=2)
SESSION = Session(
    session_id=2**60 + 1,
    user_id=2**60,
    installation=Installation("device-01", DeviceClass.WEB, "Chrome"),
    generation=3,
    refresh_hash=b"",
    refresh_counter=0,
    refresh_expire_time=0,
    created_time=0,
    seen_time=0,
)


def test_an_access_token_says_who_on_which_session_until_when() -> None:
    token = AccessTokens(KEYS, ttl_s=900).issue(USER, SESSION, now_ms=NOW)
    claims = jwt.decode(token.text, "2" * 32, algorithms=["HS256"], options={"verify_exp": False, "verify_iat": False})
    assert claims == {
        "sub": str(2**60),
        "sid": str(2**60 + 1),
        "gen": 3,
        "knd": 2,
        "dev": "device-01",
        "cls": 4,
        "iat": 1_800_000_000,
        "exp": 1_800_000_900,
    }
    assert jwt.get_unverified_header(token.text)["kid"] == "k2"
    assert token.expire_time == claims["exp"] * 1000


def test_a_rotation_changes_what_the_next_token_is_signed_with() -> None:
    keys = TokenKeys(KEYS, active="k1")
    tokens = AccessTokens(keys, ttl_s=900)
    kids = [jwt.get_unverified_header(tokens.issue(USER, SESSION, now_ms=NOW).text)["kid"]]
    keys.replace(KEYS, active="k2")
    kids.append(jwt.get_unverified_header(tokens.issue(USER, SESSION, now_ms=NOW).text)["kid"])
    assert kids == ["k1", "k2"]


def test_a_refresh_token_reads_as_it_was_written() -> None:
    secret = RefreshSecret(2**62, 7, bytes(range(SECRET_BYTES)))
    assert RefreshSecret.parse(secret.text) == secret


@pytest.mark.parametrize("change", ["r1.5.6.", "r1.6.7.", "r1.5.7.B"])
def test_a_token_that_we_did_not_seal_is_refused(change: str) -> None:
    token = RefreshSecret(5, 7, bytes(SECRET_BYTES)).sealed(b"key")
    assert RefreshSecret.unseal(token, b"key") == RefreshSecret(5, 7, bytes(SECRET_BYTES))
    for wrong in (change + token[len(change) :], token.rpartition(".")[0], token[:-1], token + "é", ".\ud800", ""):
        with pytest.raises(ImError) as caught:
            RefreshSecret.unseal(wrong, b"key")
        assert caught.value.reason is error_table.UNAUTHENTICATED


def test_the_successor_is_the_same_for_the_same_and_another_for_any_other() -> None:
    first = RefreshSecret(5, 7, bytes(SECRET_BYTES))
    following = first.successor(b"key")
    assert following == first.successor(b"key")
    assert following.counter == 8
    others = [
        first.successor(b"another key"),
        RefreshSecret(6, 7, first.secret).successor(b"key"),
        RefreshSecret(5, 8, first.secret).successor(b"key"),
        RefreshSecret(5, 7, b"\x01" * SECRET_BYTES).successor(b"key"),
        following.successor(b"key"),
    ]
    assert following.secret not in {other.secret for other in others}


def test_a_secret_is_not_shown() -> None:
    secret = RefreshSecret(5, 7, b"\xaa" * SECRET_BYTES)
    assert "aa" not in repr(secret)
    assert encoded(secret.secret) not in repr(secret)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "r1",
        "r1.1.2",
        "r2.1.2." + "A" * 43,
        "r1.x.2." + "A" * 43,
        "r1.1.2.###",
        "r1.1.2.AAAA",
        f"r1.{2**63}.0." + "A" * 43,
    ],
)
def test_what_is_no_refresh_token_is_refused(text: str) -> None:
    with pytest.raises(ImError) as caught:
        RefreshSecret.parse(text)
    assert caught.value.reason is error_table.UNAUTHENTICATED


@given(st.text(max_size=200))
def test_any_other_text_is_refused_and_breaks_nothing(text: str) -> None:
    with pytest.raises(ImError) as caught:
        RefreshSecret.parse("r1." + text)
    assert caught.value.reason is error_table.UNAUTHENTICATED


@given(st.binary(max_size=100))
def test_base64_comes_back(data: bytes) -> None:
    assert decoded(encoded(data)) == data
