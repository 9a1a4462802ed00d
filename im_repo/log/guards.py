"""May this entry be stored? What logic asked to hold under the lock, decided over plain values.

Each function answers the reason of a refusal, or None. A refusal concerns one entry alone.
"""

from im_infra import error_table
from im_infra.errors import ImError
from im_repo.log.draft import Guards, Place, Target
from im_repo.log.values import FLAG_RECALLED, KIND_WORLD, ROLE_MEMBER, STATE_IN


def refuse_gap(guards: Guards, *, last_send_time: int, now: int) -> ImError | None:
    """Slow mode: too soon after the sender's last entry."""
    wait_ms = last_send_time + guards.min_gap_ms - now
    if guards.min_gap_ms > 0 and wait_ms > 0:
        return ImError(error_table.SLOW_MODE, retry_after_ms=wait_ms)
    return None


def refuse_sender(guards: Guards, place: Place | None, *, kind: int) -> ImError | None:
    """The sender is not in, or has not the role; in the world room everybody without a row is in."""
    if not guards.sender_min_role:
        return None
    if place is None:
        if kind != KIND_WORLD:
            return ImError(error_table.CONVERSATION_NOT_FOUND)
        role = ROLE_MEMBER
    elif place.state != STATE_IN:
        return ImError(error_table.NOT_A_MEMBER)
    else:
        role = place.role
    return ImError(error_table.PERMISSION_DENIED) if role < guards.sender_min_role else None


def refuse_target(guards: Guards, target: Target | None, *, edits: bool, visible: bool, now: int) -> ImError | None:
    """The target is not there for the sender, or may not be changed so.

    An edit asks for an unrecalled target whether logic says so or not: what was recalled never comes back.
    """
    if target is None or not visible:
        return ImError(error_table.MESSAGE_NOT_FOUND)
    if (guards.target_unrecalled or edits) and target.flags & FLAG_RECALLED:
        return ImError(error_table.TARGET_RECALLED)
    if guards.target_sender_id and target.sender_id != guards.target_sender_id:
        return ImError(error_table.PERMISSION_DENIED)
    if guards.target_types and target.type not in guards.target_types:
        return ImError(error_table.PERMISSION_DENIED, "an entry of this type cannot be changed so")
    if guards.target_max_age_ms and now - target.server_time > guards.target_max_age_ms:
        return ImError(error_table.TARGET_TOO_OLD)
    return None
