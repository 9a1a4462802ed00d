"""`im bench`: the load tester. Without --url it starts an embedded cluster of its own and stops it afterwards.

Each scenario of `im_bench` becomes a command: its docstring is the help, its settings are the flags.
"""

from im_cli.bench.command import add_to

__all__ = ["add_to"]
