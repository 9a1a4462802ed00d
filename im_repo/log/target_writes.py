"""What recalls and edits do to the entries they are about."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from im_infra.sql.rows import mark
from im_infra.sql.statements import Statement
from im_repo.log.values import FLAG_RECALLED, TYPE_EDIT


class TargetChange(NamedTuple):
    """An entry changes another one."""

    conversation_id: int
    target_seq: int
    by_seq: int
    blanks: bool
    """A recall; otherwise an edit."""


def change_targets(dialect: str, changes: Sequence[TargetChange]) -> list[Statement]:
    """Blank or edit targets, in the order of their entries; to be run when the entries themselves are inserted."""
    statements = []
    for log_id, target_seq, by_seq, blanks in changes:
        if blanks:
            statements.append(_statement(dialect, _RECALL, FLAG_RECALLED, by_seq, log_id, target_seq))
            statements.append(_statement(dialect, _BLANK, log_id, target_seq, TYPE_EDIT))
        else:
            statements.append(_statement(dialect, _EDIT, by_seq, by_seq, log_id, target_seq, FLAG_RECALLED))
    return statements


def _statement(dialect: str, text: str, *values: int) -> Statement:
    return Statement(text.replace("?", mark(dialect)), values)


_RECALL: Final = (
    "UPDATE message SET body = x'', flags = flags | ?, changed_seq = ? WHERE conversation_id = ? AND seq = ?"
)
# The texts of its edits lie in their own rows. A reply refers to it as well, but is somebody's own message: it stays.
# That the entry refers to another is said again for SQLite, whose index holds only those.
_BLANK: Final = "UPDATE message SET body = x'' WHERE conversation_id = ? AND ref_seq = ? AND ref_seq <> 0 AND type = ?"
# An edit never brings back what was recalled.
_EDIT: Final = (
    "UPDATE message SET edit_seq = ?, changed_seq = ? WHERE conversation_id = ? AND seq = ? AND flags & ? = 0"
)
