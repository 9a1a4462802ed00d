"""Settings of logic."""

import pytest
from pydantic import SecretStr

from im_infra.settings import describe
from im_infra.token_keys import TokenKeys
from im_logic.settings import LogicSettings, Secrets

LONG = SecretStr("x" * 32)


def test_defaults_are_valid_and_every_setting_is_described() -> None:
    LogicSettings()
    assert all(field.description for field in describe(LogicSettings))


def test_secrets_are_not_shown() -> None:
    secrets = Secrets(keys=TokenKeys({"k1": SecretStr("y" * 32)}, active="k1"), refresh_key=LONG)
    assert "yyy" not in repr(secrets)
    assert "xxx" not in repr(secrets)


def test_a_refresh_key_that_protects_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter than 32 bytes"):
        Secrets(keys=TokenKeys({"k1": LONG}, active="k1"), refresh_key=SecretStr("short"))
