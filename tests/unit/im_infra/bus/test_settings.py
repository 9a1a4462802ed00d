import pytest

from im_infra.bus.settings import BusSettings
from im_infra.settings import SettingsError, load


def test_a_record_is_tried_at_least_twice() -> None:
    """Once with the others and once alone: a batch cannot tell which of its records is poisonous."""
    with pytest.raises(SettingsError, match="max_tries"):
        load(BusSettings, toml=None, environment={"IM_MAX_TRIES": "1"})
