"""What recalls and edits do to their targets."""

from typing import Any

import pytest
from sqlalchemy import Connection, select

from im_infra.sql.statements import write_together
from im_proto.v1.message_pb2 import MESSAGE_TYPE_EDIT
from im_repo.log.target_writes import TargetChange, change_targets
from im_repo.schema import MESSAGE

LOG = 70


@pytest.fixture(autouse=True)
def log(seed: Any) -> Any:
    seed.conversation(LOG, 1)
    seed.say(LOG, 1, "target")
    seed.say(LOG, 1, "edit", type=MESSAGE_TYPE_EDIT, ref_seq=1)
    seed.say(LOG, 1, "reply", ref_seq=1)
    seed.say(LOG, 1, "other")


def entries(connection: Connection) -> Any:
    rows = connection.execute(select(MESSAGE).order_by(MESSAGE.c.seq))
    return {row.seq: (bool(row.body), row.flags & 1, row.edit_seq, row.changed_seq) for row in rows}


def test_a_recall_blanks_its_target_and_the_edits(connection: Connection) -> None:
    write_together(connection, change_targets(connection.dialect.name, [TargetChange(LOG, 1, 9, blanks=True)]))
    assert entries(connection) == {1: (False, 1, 2, 9), 2: (False, 0, 0, 0), 3: (True, 0, 0, 0), 4: (True, 0, 0, 0)}


def test_an_edit_never_brings_back_what_was_recalled(connection: Connection) -> None:
    write_together(
        connection,
        change_targets(
            connection.dialect.name, [TargetChange(LOG, 1, 9, blanks=True), TargetChange(LOG, 1, 10, blanks=False)]
        ),
    )
    assert entries(connection)[1] == (False, 1, 2, 9)


def test_the_last_edit_stays(connection: Connection) -> None:
    write_together(
        connection,
        change_targets(
            connection.dialect.name, [TargetChange(LOG, 4, 9, blanks=False), TargetChange(LOG, 4, 10, blanks=False)]
        ),
    )
    assert entries(connection)[4] == (True, 0, 10, 10)
