"""The keys a process holds."""

import pytest
from pydantic import SecretStr

from im_infra.token_keys import TokenKeys

LONG, OTHER, SHORT = SecretStr("a" * 32), SecretStr("b" * 32), SecretStr("c" * 31)


def test_whoever_holds_them_sees_a_rotation() -> None:
    keys = TokenKeys({"k1": LONG}, active="k1")
    keys.replace({"k1": LONG, "k2": OTHER}, active="k2")
    assert (keys.active, dict(keys)) == ("k2", {"k1": LONG, "k2": OTHER})
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("keys", "active", "word"), [({"k2": SHORT}, "k2", "shorter than 32 bytes: k2"), ({"k2": OTHER}, "k3", "none")]
)
def test_what_cannot_sign_is_refused_and_the_present_ones_stay(
    keys: dict[str, SecretStr], active: str, word: str
) -> None:
    with pytest.raises(ValueError, match=word):
        TokenKeys(keys, active=active)
    present = TokenKeys({"k1": LONG}, active="k1")
    with pytest.raises(ValueError, match=word):
        present.replace(keys, active=active)
    assert (present.active, dict(present)) == ("k1", {"k1": LONG})
