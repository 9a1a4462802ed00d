"""What recalls and edits do to the entries they are about."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import BindParameter, Connection, bindparam, update

from im_repo.log.values import FLAG_RECALLED, TYPE_EDIT
from im_repo.schema import MESSAGE, REFERS


class TargetChange(NamedTuple):
    """An entry changes another one."""

    conversation_id: int
    target_seq: int
    by_seq: int
    blanks: bool
    """A recall; otherwise an edit."""


def change_targets(connection: Connection, changes: Sequence[TargetChange]) -> None:
    """Blank or edit targets, in the order of their entries; the entries themselves are inserted already."""
    for change in changes:
        connection.execute(
            _RECALL if change.blanks else _EDIT,
            {"of_log": change.conversation_id, "target": change.target_seq, "by_entry": change.by_seq},
        )
        if change.blanks:
            connection.execute(_BLANK, {"of_log": change.conversation_id, "target": change.target_seq})


_LOG: Final[BindParameter[int]] = bindparam("of_log")
_TARGET: Final[BindParameter[int]] = bindparam("target")
_BY: Final[BindParameter[int]] = bindparam("by_entry")
_THE_TARGET: Final = (MESSAGE.c.conversation_id == _LOG, MESSAGE.c.seq == _TARGET)

_RECALL: Final = (
    update(MESSAGE).where(*_THE_TARGET).values(body=b"", flags=MESSAGE.c.flags.op("|")(FLAG_RECALLED), changed_seq=_BY)
)
# The texts of its edits lie in their own rows. A reply refers to it as well, but is somebody's own message: it stays.
_BLANK: Final = (
    update(MESSAGE)
    .where(MESSAGE.c.conversation_id == _LOG, MESSAGE.c.ref_seq == _TARGET, REFERS, MESSAGE.c.type == TYPE_EDIT)
    .values(body=b"")
)
# An edit never brings back what was recalled.
_EDIT: Final = (
    update(MESSAGE)
    .where(*_THE_TARGET, MESSAGE.c.flags.op("&")(FLAG_RECALLED) == 0)
    .values(edit_seq=_BY, changed_seq=_BY)
)
