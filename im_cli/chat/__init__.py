"""`im chat`: the terminal client, a screen for people and a plain mode for pipes.

It speaks to a cluster through `im_sdk` alone. What is shown is decided by values and pure functions (`rows`, `times`,
`ticks`, `notices`, `words`) over one model (`desk`, `thread`, `people`); `screens/` and `widgets/` only draw it.
Textual is imported when the command runs, never before.
"""

from im_cli.chat.command import add_to

__all__ = ["add_to"]
