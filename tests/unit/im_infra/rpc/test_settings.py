import pytest
from pydantic import ValidationError

from im_infra.rpc.settings import ChannelSettings, StreamSettings


def test_a_body_and_its_frame_fit_into_a_message() -> None:
    assert StreamSettings().max_body_bytes < ChannelSettings().max_message_bytes


def test_every_setting_says_its_unit() -> None:
    for section in (StreamSettings, ChannelSettings):
        for name, field in section.model_fields.items():
            unit = name.rsplit("_", 1)[-1]
            description = field.description or ""
            assert {"s": "seconds", "bytes": "bytes"}.get(unit, "items") in description, name


def test_a_window_of_nothing_is_refused() -> None:
    with pytest.raises(ValidationError):
        StreamSettings(window=0)
