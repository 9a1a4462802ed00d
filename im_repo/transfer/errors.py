"""Why data cannot be carried.

ImError
└── TransferError
    ├── NotEmptyError      the target holds something
    ├── OtherSourceError   a transfer from elsewhere is under way there
    └── DifferenceError    what arrived is not what was sent
"""

from collections.abc import Sequence

from im_infra import error_table
from im_infra.errors import ImError


class TransferError(ImError):
    """Nothing can be carried into this database as it is; empty it first."""

    def __init__(self, message: str) -> None:
        super().__init__(error_table.CONFLICT, message)


class NotEmptyError(TransferError):
    """The target holds rows already; nothing was changed."""


class OtherSourceError(TransferError):
    """The target holds part of other data, or of the same data as it was before the source ran again."""


class DifferenceError(TransferError):
    """Source and target differ.

    Args:
        differences: one line each, the first few of them.
    """

    def __init__(self, differences: Sequence[str]) -> None:
        super().__init__("the data did not arrive as it was sent: " + "; ".join(differences))
        self.differences = differences
