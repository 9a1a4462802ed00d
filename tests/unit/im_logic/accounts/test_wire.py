"""Wiring of the room."""

from im_logic.accounts.model import DeviceClass
from im_logic.accounts.wire import class_limits
from im_logic.settings import DeviceLimits


def test_every_class_has_its_limit() -> None:
    limits = class_limits(DeviceLimits(phone=1, tablet=2, desktop=3, web=4, bot=5))
    assert limits == {device_class: int(device_class) for device_class in DeviceClass}
