"""A stamp is read as it was written, and nothing else is taken for one."""

import pytest

from im_bench.load.stamp import Stamp, read_stamp, write_stamp


def test_a_stamp_is_read_as_it_was_written() -> None:
    text = write_stamp("run", 7, 3, 12.345678, "xx")
    assert read_stamp(text, "run") == Stamp("run", 7, 3, 12.345678)


@pytest.mark.parametrize("text", ["somebody else's text", "", "other 7 3 12 x", "run 7 3 12"])
def test_what_is_not_of_this_run_has_none(text: str) -> None:
    assert read_stamp(text, "run") is None
