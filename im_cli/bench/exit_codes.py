"""How a measuring command ends, in the words of its help."""

from typing import Final

EXIT_CODES: Final = (
    "Exit codes: 0 good · 1 wrong usage · 2 messages lost, doubled or out of order · 3 invalid: the generator was the "
    "bottleneck, or the run did not take place · 4 a target of --expect or of the scenario was missed · 7 no server "
    "answered · 130 interrupted twice"
)
"""`im_bench.report.verdict.Verdict` and `im_cli.exit_code.ExitCode`, for people."""
