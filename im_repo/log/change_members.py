"""Who comes, goes or changes with an entry: rows, windows, versions, fan-out class and ownership in one."""

from sqlalchemy import Connection

from im_infra import error_table
from im_infra.errors import ImError
from im_repo.log import member_rows
from im_repo.log.cursor_writes import CursorMoves
from im_repo.log.draft import Effects, Guards, MemberChange
from im_repo.log.fanout_class import FanoutBounds, next_fanout
from im_repo.log.locked import LockedConversation
from im_repo.log.membership_rules import Plan, plan_changes
from im_repo.log.values import KIND_WORLD, ROLE_OWNER, STATE_IN, STATUS_DISSOLVED


def change_members(
    connection: Connection,
    conversation: LockedConversation,
    effects: Effects,
    *,
    guards: Guards | None,
    seq: int,
    count: int,
    now: int,
    bounds: FanoutBounds,
    moves: CursorMoves,
) -> Plan:
    """Make the changes that an entry brings, and what follows from them in the conversation's row (in memory).

    Nothing is written before everything that could refuse the entry was asked.

    Args:
        connection: inside the transaction that locked the conversation.
        conversation: its row; changed here.
        effects: `members`, `dissolve`, `hand_on_ownership` and `whole_history` are looked at.
        guards: `max_members` and `subject_max_role` are looked at.
        seq: the entry's place: windows open or end at it.
        count: countable entries up to it.
        now: the database's time, milliseconds since the epoch.
        bounds: when the fan-out class changes.
        moves: takes the joiners' read cursors, which begin at the entry.

    Returns:
        What really changed.

    Raises:
        ImError: GROUP_FULL, or what `plan_changes` raises; nothing was written.
    """
    plan = _plan(connection, conversation, effects, guards=guards, now=now)
    if plan.places:
        _write(connection, conversation, plan, effects=effects, seq=seq, now=now)
        if conversation.kind != KIND_WORLD:
            for user_id in plan.joined:
                moves.read((user_id, conversation.conversation_id), seq, count)
    if effects.dissolve:
        conversation.status = STATUS_DISSOLVED
        plan.denies = True
    if plan.places or effects.dissolve:
        conversation.member_version += 1 if not plan.places else 0  # with places it was raised for their rows
        conversation.deny_version += plan.denies
        _switch_fanout(conversation, now=now, bounds=bounds)
    return plan


def _plan(
    connection: Connection, conversation: LockedConversation, effects: Effects, *, guards: Guards | None, now: int
) -> Plan:
    if not effects.members:
        return Plan()
    log_id = conversation.conversation_id
    places = member_rows.find_places(connection, log_id, {change.user_id for change in effects.members})
    plan = plan_changes(effects.members, places, kind=conversation.kind, now=now, guards=guards)
    after = conversation.member_count + len(plan.joined) - len(plan.departed)
    if guards and guards.max_members and plan.joined and after > guards.max_members:
        raise ImError(error_table.GROUP_FULL)
    if effects.hand_on_ownership and conversation.owner_id in plan.departed:
        _hand_on(connection, conversation, plan)
    return plan


def _hand_on(connection: Connection, conversation: LockedConversation, plan: Plan) -> None:
    successor = member_rows.find_successor(connection, conversation.conversation_id, plan.departed)
    if successor is None:
        conversation.status = STATUS_DISSOLVED
        plan.owner_id = 0
        return
    place = member_rows.find_places(connection, conversation.conversation_id, (successor,))[successor]
    plan.places[successor] = place._replace(role=ROLE_OWNER)
    plan.changes.append(MemberChange(successor, STATE_IN, ROLE_OWNER, place.muted_until_time))
    plan.owner_id = successor


def _write(
    connection: Connection,
    conversation: LockedConversation,
    plan: Plan,
    *,
    effects: Effects,
    seq: int,
    now: int,
) -> None:
    log_id = conversation.conversation_id
    conversation.member_version += 1
    member_rows.save_places(connection, log_id, plan.places, version=conversation.member_version, now=now)
    if plan.owner_id is not None:
        conversation.owner_id = plan.owner_id
    if conversation.kind == KIND_WORLD:  # everybody is in by rule: nobody is counted, and only who is out has a window
        member_rows.open_windows(connection, log_id, plan.departed, from_seq=conversation.min_seq)
        member_rows.close_windows(connection, log_id, plan.departed, to_seq=seq)
        return
    member_rows.close_windows(connection, log_id, plan.departed, to_seq=seq)
    conversation.member_count += len(plan.joined) - len(plan.departed)
    from_seq = conversation.min_seq if effects.whole_history else seq
    member_rows.open_windows(connection, log_id, plan.joined, from_seq=from_seq)


def _switch_fanout(conversation: LockedConversation, *, now: int, bounds: FanoutBounds) -> None:
    fanout = next_fanout(
        kind=conversation.kind, fanout=conversation.fanout, member_count=conversation.member_count, bounds=bounds
    )
    if fanout != conversation.fanout:
        conversation.fanout = fanout
        conversation.fanout_time = now
