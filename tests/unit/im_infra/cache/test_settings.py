import pytest
from pydantic import SecretStr, ValidationError

from im_infra.cache.settings import CacheSettings, RedisSettings
from im_infra.settings import SettingsError, load


def test_a_cache_holds_something() -> None:
    with pytest.raises(SettingsError, match="max_entries"):
        load(CacheSettings, toml=None, environment={"IM_MAX_ENTRIES": "0"})


def test_redis_needs_a_password() -> None:
    with pytest.raises(ValidationError, match=r"redis\.password is needed"):
        CacheSettings(kind="redis")
    assert CacheSettings(kind="redis", redis=RedisSettings(password=SecretStr("x"))).redis.addresses == (
        "127.0.0.1:6379",
    )


@pytest.mark.parametrize("address", ["", "host", "host:", ":6379", "host:redis"])
def test_an_address_has_a_host_and_a_port(address: str) -> None:
    with pytest.raises(ValidationError, match="host:port"):
        RedisSettings(addresses=(address,))


def test_several_addresses_are_a_clusters() -> None:
    with pytest.raises(ValidationError, match="unless cluster is set"):
        RedisSettings(addresses=("a:1", "b:2"))
    assert len(RedisSettings(addresses=("a:1", "b:2"), cluster=True).addresses) == 2
