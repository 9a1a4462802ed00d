"""Verifying access tokens."""

import base64
import json
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from im_gateway.auth.access_token import AccessTokenVerifier
from im_infra import error_table
from im_infra.clock import ManualClock
from im_infra.errors import ImError

KEY = "k" * 64
CLOCK = ManualClock(now_ms=1_800_000_000_000)
VERIFIER = AccessTokenVerifier({"new": SecretStr(KEY), "old": SecretStr("o" * 40)}, leeway_s=5, now_ms=CLOCK.now_ms)
CLAIMS = {
    "sub": "7", "sid": "70", "gen": 2, "knd": 2, "dev": "device-1", "cls": 4, "iat": 1_799_999_900, "exp": 1_800_000_100,
}  # fmt: skip


def token(key: str = KEY, kid: str = "new", algorithm: str = "HS256", **change: Any) -> str:
    claims = {name: value for name, value in {**CLAIMS, **change}.items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})


def reason(text: str) -> str:
    with pytest.raises(ImError) as refused:
        VERIFIER.verify(text)
    return refused.value.reason.name


def test_the_claims_of_a_good_one() -> None:
    claims = VERIFIER.verify(token())
    assert (claims.user_id, claims.session_id, claims.generation) == (7, 70, 2)
    assert (claims.user_kind, claims.device_id, claims.device_class) == (2, "device-1", 4)
    assert claims.expire_time == 1_800_000_100_000
    assert claims.to_proto().expire_time == 1_800_000_100_000


def test_the_old_key_still_verifies_during_a_rotation() -> None:
    assert VERIFIER.verify(token("o" * 40, "old")).user_id == 7


def test_it_expires_by_the_given_clock_with_leeway() -> None:
    assert VERIFIER.verify(token(exp=1_799_999_996)).user_id == 7
    assert reason(token(exp=1_799_999_994)) == "TOKEN_EXPIRED"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b.c",
        "x" * 5000,
        token("z" * 40),
        token(kid="unknown"),
        token(algorithm="HS512"),
        token(sub="seven"),
        token(sid=None),
        token(exp=None),
        token(gen=None),
        token(exp="soon"),
    ],
)
def test_anything_else_is_unauthenticated(text: str) -> None:
    assert reason(text) == "UNAUTHENTICATED"


def test_an_unsigned_one_is_unauthenticated() -> None:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    assert reason(f"{part({'alg': 'none', 'kid': 'new'})}.{part(CLAIMS)}.") == "UNAUTHENTICATED"
    assert reason(f"{part({'alg': 'HS256', 'kid': ['new']})}.{part(CLAIMS)}.x") == "UNAUTHENTICATED"


@given(st.text(max_size=200))
def test_arbitrary_text_is_unauthenticated(text: str) -> None:
    with pytest.raises(ImError) as refused:
        VERIFIER.verify(text)
    assert refused.value.reason is error_table.UNAUTHENTICATED
