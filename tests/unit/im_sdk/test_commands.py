import dataclasses
import inspect
from typing import get_args

from im_sdk import _commands


def test_every_command_is_frozen_and_in_the_union() -> None:
    classes = {
        each
        for _, each in inspect.getmembers(_commands, dataclasses.is_dataclass)
        if each.__module__ == _commands.__name__  # type: ignore[union-attr]
    }
    assert set(get_args(_commands.Command)) == classes
    assert all(each.__dataclass_params__.frozen for each in classes)  # type: ignore[union-attr]
