"""Between this room's words and protobuf."""

from im_logic.accounts.model import Caller, DeviceClass, Grant, Installation, Revocation, Session, User
from im_logic.accounts.ports import NewSession, NewUser, Rotated, Rotation
from im_logic.accounts.rules import checked_installation
from im_proto.logic.v1 import account_pb2 as logic_pb2
from im_proto.logic.v1 import stream_pb2
from im_proto.repo.v1 import account_pb2 as repo_pb2
from im_proto.v1 import account_pb2 as client_pb2

_ROTATIONS = {
    repo_pb2.ROTATE_STATUS_ROTATED: Rotation.ROTATED,
    repo_pb2.ROTATE_STATUS_REPEATED: Rotation.REPEATED,
    repo_pb2.ROTATE_STATUS_REUSED: Rotation.REUSED,
}


def user_of(row: repo_pb2.UserRow) -> User:
    """An account as repo tells it."""
    return User(
        user_id=row.user_id,
        handle=row.handle,
        display_name=row.display_name,
        kind=row.kind,
        disabled=row.disabled_time != 0,
        password_hash=row.password_hash,
    )


def session_of(row: repo_pb2.SessionRow) -> Session:
    """A session as repo tells it."""
    return Session(
        session_id=row.session_id,
        user_id=row.user_id,
        installation=Installation(row.device_id, DeviceClass.known(row.device_class), row.device_name),
        generation=row.generation,
        refresh_hash=row.refresh_hash,
        refresh_counter=row.refresh_counter,
        refresh_expire_time=row.refresh_expire_time,
        created_time=row.created_time,
        seen_time=row.seen_time,
        revoked=row.revoked_time != 0,
        displaced=row.displaced_time != 0,
    )


def user_row(user: NewUser) -> repo_pb2.UserRow:
    """A new account for repo."""
    return repo_pb2.UserRow(
        handle=user.handle, display_name=user.display_name, kind=user.kind, password_hash=user.password_hash
    )


def session_row(session: NewSession, *, user_id: int = 0) -> repo_pb2.SessionRow:
    """A new session for repo."""
    return repo_pb2.SessionRow(
        user_id=user_id,
        device_id=session.installation.device_id,
        device_class=session.installation.device_class,
        device_name=session.installation.device_name,
        refresh_hash=session.refresh_hash,
        refresh_expire_time=session.refresh_expire_time,
    )


def rotated_of(response: repo_pb2.RotateRefreshResponse) -> Rotated:
    """A rotation's outcome."""
    return Rotated(
        outcome=_ROTATIONS.get(response.status, Rotation.UNKNOWN),
        session=session_of(response.session) if response.HasField("session") else None,
        user=user_of(response.user) if response.HasField("user") else None,
    )


def revocation_of(row: repo_pb2.RevocationRow) -> Revocation:
    """A revocation as repo tells it."""
    return Revocation(row.session_id, row.generation, row.close_code, row.time)


def revocation_message(revocation: Revocation) -> logic_pb2.Revocation:
    """A revocation for gateways."""
    return logic_pb2.Revocation(
        session_id=revocation.session_id,
        generation=revocation.generation,
        close_code=revocation.close_code,
        time=revocation.time,
    )


def installation_of(message: client_pb2.Installation) -> Installation:
    """Where a client runs; raises ImError(FIELD_INVALID)."""
    return checked_installation(message.device_id, message.device_class, message.device_name)


def caller_of(message: stream_pb2.Caller) -> Caller:
    """Who asks."""
    return Caller(message.user_id, message.session_id, message.user_kind)


def user_message(user: User) -> client_pb2.User:
    """An account as clients see it."""
    return client_pb2.User(
        user_id=user.user_id,
        handle=user.handle,
        display_name=user.display_name,
        kind=user.kind,  # type: ignore[arg-type]  # an open enum: a newer repo's kind goes through
    )


def device_message(session: Session, *, current_session_id: int) -> client_pb2.Device:
    """A session as its owner sees it."""
    return client_pb2.Device(
        session_id=session.session_id,
        device_id=session.installation.device_id,
        device_class=int(session.installation.device_class),  # type: ignore[arg-type]  # the same numbers
        device_name=session.installation.device_name,
        created_time=session.created_time,
        seen_time=session.seen_time,
        current=session.session_id == current_session_id,
    )


def grant_message(grant: Grant) -> client_pb2.TokenGrant:
    """Tokens for the client."""
    return client_pb2.TokenGrant(
        user=user_message(grant.user),
        session_id=grant.session_id,
        access_token=grant.access.text,
        access_expire_time=grant.access.expire_time,
        refresh_token=grant.refresh.text,
        refresh_expire_time=grant.refresh.expire_time,
    )
