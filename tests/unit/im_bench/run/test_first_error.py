"""The first single error is found however deep it lies."""

from im_bench.run.first_error import first_error


def test_groups_are_looked_into() -> None:
    inner = ValueError("first")
    assert first_error(inner) is inner
    group = ExceptionGroup("outer", [ExceptionGroup("inner", [inner]), KeyError("second")])
    assert first_error(group) is inner
