"""Settings of logic."""

import pytest
from pydantic import SecretStr, ValidationError

from im_infra.settings import describe
from im_logic.settings import LogicSettings, Secrets

LONG = SecretStr("x" * 32)


def test_defaults_are_valid_and_every_setting_is_described() -> None:
    LogicSettings()
    assert all(field.description for field in describe(LogicSettings))


def test_secrets_are_not_shown() -> None:
    secrets = Secrets(keys={"k1": SecretStr("y" * 32)}, active="k1", refresh_key=LONG)
    assert "yyy" not in repr(secrets)
    assert "xxx" not in repr(secrets)


@pytest.mark.parametrize(
    ("keys", "active", "refresh_key", "problem"),
    [
        ({"k1": SecretStr("short")}, "k1", LONG, "shorter than 32 bytes: k1"),
        ({"k1": LONG}, "k2", LONG, "active names none of the keys"),
        ({"k1": LONG}, "k1", SecretStr("short"), "shorter than 32 bytes"),
    ],
    ids=["a short key", "an unknown active key", "a short refresh key"],
)
def test_secrets_that_protect_nothing_are_refused(
    keys: dict[str, SecretStr], active: str, refresh_key: SecretStr, problem: str
) -> None:
    with pytest.raises(ValidationError, match=problem):
        Secrets(keys=keys, active=active, refresh_key=refresh_key)
