"""How a measuring command ends, in the words of its help: `im_bench.report.verdict.Verdict` and `im_cli.exit_code.ExitCode`."""

from typing import Final


def _told(**means: str) -> str:
    """Codes as `c0="done"`, in one line."""
    return "Exit codes: " + " · ".join(f"{code.removeprefix('c')} {meaning}" for code, meaning in means.items())


_USAGE: Final = "wrong usage"
_INCORRECT: Final = "messages lost, doubled or out of order"
_INVALID: Final = "invalid: the generator was the bottleneck, or the run did not take place"
_SILENT: Final = "no server answered"
_BUG: Final = "a bug of ours"
_TWICE: Final = "interrupted twice"

OF_A_RUN: Final = _told(
    c0="good",
    c1=_USAGE,
    c2=_INCORRECT,
    c3=_INVALID,
    c4="a target of --expect or of the scenario was missed",
    c7=_SILENT,
    c70=_BUG,
    c130=_TWICE,
)
OF_RUNS: Final = _told(
    c0="all runs were good",
    c1=_USAGE,
    c2=_INCORRECT,
    c3=_INVALID,
    c4="a target of the scenario was missed",
    c7=_SILENT,
    c70=_BUG,
    c130=_TWICE,
)
"""Of a command that ends as the worst of its runs."""
OF_A_SEARCH: Final = _told(
    c0="a rate held", c1=_USAGE, c3="a run did not take place", c4="no rate held", c7=_SILENT, c70=_BUG, c130=_TWICE
)
