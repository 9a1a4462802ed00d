import dataclasses
import inspect
from typing import get_args

from im_sdk import _events


def test_every_event_is_frozen_and_in_the_union() -> None:
    classes = {
        each
        for _, each in inspect.getmembers(_events, dataclasses.is_dataclass)
        if each.__module__ == _events.__name__  # type: ignore[union-attr]
    }
    assert set(get_args(_events.Event)) == classes
    assert all(each.__dataclass_params__.frozen for each in classes)  # type: ignore[union-attr]
