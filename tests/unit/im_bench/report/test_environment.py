"""The machine is told."""

from im_bench.report.environment import environment


def test_what_figures_depend_on_is_there() -> None:
    told = environment()
    assert set(told) == {"cpu_model", "cores", "memory_mib", "kernel", "python", "version", "commit"}
    assert told["cores"] >= 1
    assert told["memory_mib"] > 100
