import im_sdk
from im_sdk import machine


def test_what_is_public_is_there() -> None:
    for module in (im_sdk, machine):
        assert sorted(module.__all__) == list(module.__all__)
        assert all(hasattr(module, name) for name in module.__all__)
