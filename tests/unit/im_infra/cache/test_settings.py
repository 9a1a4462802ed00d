import pytest

from im_infra.cache.settings import CacheSettings
from im_infra.settings import SettingsError, load


def test_a_cache_holds_something() -> None:
    with pytest.raises(SettingsError, match="max_entries"):
        load(CacheSettings, toml=None, environment={"IM_MAX_ENTRIES": "0"})
