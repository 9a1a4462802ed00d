"""Every error reason and close code: generated from proto/errors.yaml by `make proto`; edit that."""

from enum import IntEnum
from typing import Final, NamedTuple

from im_infra.error_kind import Kind


class Reason(NamedTuple):
    """One row of the table of errors."""

    number: int
    name: str
    kind: Kind
    retryable: bool
    meaning: str


FRAME_INVALID: Final = Reason(1001, "FRAME_INVALID", Kind.INVALID, False, "The bytes are not a frame of the negotiated subprotocol.")
FRAME_TOO_LARGE: Final = Reason(1002, "FRAME_TOO_LARGE", Kind.INVALID, False, "A frame or WebSocket message exceeds the limit told in Hello's answer.")
OPERATION_UNKNOWN: Final = Reason(1003, "OPERATION_UNKNOWN", Kind.INVALID, False, "The frame carries no operation this server knows.")
FIELD_INVALID: Final = Reason(1004, "FIELD_INVALID", Kind.INVALID, False, "A field is missing, malformed or out of its range; the message names it.")
TEXT_TOO_LONG: Final = Reason(1005, "TEXT_TOO_LONG", Kind.INVALID, False, "The text or custom body is over its limit.")
HELLO_REQUIRED: Final = Reason(1006, "HELLO_REQUIRED", Kind.INVALID, False, "The first frame must be Hello, and only the first.")
VERSION_UNSUPPORTED: Final = Reason(1007, "VERSION_UNSUPPORTED", Kind.INVALID, False, "The protocol version asked for is not served any more.")
TOO_OLD: Final = Reason(1008, "TOO_OLD", Kind.INVALID, False, "The client_message_id or operation_id was made more than 14 days ago.")
PAGE_TOKEN_INVALID: Final = Reason(1009, "PAGE_TOKEN_INVALID", Kind.INVALID, False, "The page token is not one this server gave.")
UNAUTHENTICATED: Final = Reason(2001, "UNAUTHENTICATED", Kind.DENIED, False, "No credential, or one that is malformed, forged or of another server.")
TOKEN_EXPIRED: Final = Reason(2002, "TOKEN_EXPIRED", Kind.DENIED, False, "The access token has expired.")
SESSION_REVOKED: Final = Reason(2003, "SESSION_REVOKED", Kind.DENIED, False, "The session was logged out, or its password changed.")
KICKED: Final = Reason(2004, "KICKED", Kind.DENIED, False, "Another device of the same class took this session's place.")
CREDENTIALS_WRONG: Final = Reason(2005, "CREDENTIALS_WRONG", Kind.DENIED, False, "The handle or the password is wrong.")
ACCOUNT_DISABLED: Final = Reason(2006, "ACCOUNT_DISABLED", Kind.DENIED, False, "An administrator disabled this account.")
REFRESH_REUSED: Final = Reason(2007, "REFRESH_REUSED", Kind.DENIED, False, "A refresh token was used twice; the session is ended.")
TICKET_INVALID: Final = Reason(2008, "TICKET_INVALID", Kind.DENIED, False, "The ticket is unknown, expired or already used.")
RESUME_INVALID: Final = Reason(2009, "RESUME_INVALID", Kind.DENIED, False, "The resume token is unknown, expired or already used.")
REGISTRATION_CLOSED: Final = Reason(2010, "REGISTRATION_CLOSED", Kind.DENIED, False, "This server takes no new accounts of this kind.")
INVITE_INVALID: Final = Reason(2011, "INVITE_INVALID", Kind.DENIED, False, "The invite code is unknown, expired or used up.")
HANDLE_TAKEN: Final = Reason(2012, "HANDLE_TAKEN", Kind.CONFLICT, False, "Another account has this handle.")
PASSWORD_WEAK: Final = Reason(2013, "PASSWORD_WEAK", Kind.INVALID, False, "The password is shorter than 8 or longer than 256 characters.")
PERMISSION_DENIED: Final = Reason(3001, "PERMISSION_DENIED", Kind.DENIED, False, "Your account or your role does not allow this.")
CONVERSATION_NOT_FOUND: Final = Reason(3002, "CONVERSATION_NOT_FOUND", Kind.NOT_FOUND, False, "There is no such conversation, or you were never in it.")
NOT_A_MEMBER: Final = Reason(3003, "NOT_A_MEMBER", Kind.DENIED, False, "You are no longer a member of this conversation.")
MUTED: Final = Reason(3004, "MUTED", Kind.DENIED, False, "You are muted here.")
CONVERSATION_DISSOLVED: Final = Reason(3005, "CONVERSATION_DISSOLVED", Kind.CONFLICT, False, "The conversation was dissolved.")
USER_NOT_FOUND: Final = Reason(3006, "USER_NOT_FOUND", Kind.NOT_FOUND, False, "There is no such user.")
MESSAGE_NOT_FOUND: Final = Reason(3007, "MESSAGE_NOT_FOUND", Kind.NOT_FOUND, False, "There is no such message, or you may not see it.")
BLOCKED: Final = Reason(3008, "BLOCKED", Kind.DENIED, False, "This user does not take messages from you.")
TARGET_RECALLED: Final = Reason(3009, "TARGET_RECALLED", Kind.CONFLICT, False, "The message was recalled.")
TARGET_TOO_OLD: Final = Reason(3010, "TARGET_TOO_OLD", Kind.CONFLICT, False, "The message is too old to be changed.")
GROUP_FULL: Final = Reason(3011, "GROUP_FULL", Kind.CONFLICT, False, "The group has as many members as it may.")
BANNED: Final = Reason(3012, "BANNED", Kind.DENIED, False, "A banned user cannot be a member here.")
NOT_FOUND: Final = Reason(3013, "NOT_FOUND", Kind.NOT_FOUND, False, "There is no such resource.")
DEVICE_NOT_FOUND: Final = Reason(3014, "DEVICE_NOT_FOUND", Kind.NOT_FOUND, False, "You have no such device.")
CONFLICT: Final = Reason(4001, "CONFLICT", Kind.CONFLICT, False, "The same id was used before with other content; `stored` is the first ack.")
RATE_LIMITED: Final = Reason(5001, "RATE_LIMITED", Kind.EXHAUSTED, True, "Too many requests.")
SLOW_MODE: Final = Reason(5002, "SLOW_MODE", Kind.EXHAUSTED, True, "This conversation takes one message per interval from each sender.")
OVERLOADED: Final = Reason(5003, "OVERLOADED", Kind.EXHAUSTED, True, "The server sheds load; nothing was stored.")
TOO_MANY_INSTANCES: Final = Reason(5004, "TOO_MANY_INSTANCES", Kind.EXHAUSTED, False, "This device has as many open instances as it may.")
UNAVAILABLE: Final = Reason(6001, "UNAVAILABLE", Kind.UNAVAILABLE, True, "A service behind the gateway cannot answer now; the outcome may be unknown.")
DEADLINE_EXCEEDED: Final = Reason(6002, "DEADLINE_EXCEEDED", Kind.UNAVAILABLE, True, "No answer in time; the outcome is unknown.")
STORAGE_FULL: Final = Reason(6003, "STORAGE_FULL", Kind.UNAVAILABLE, True, "The server's disk is full; nothing was stored.")
STORAGE_BUSY: Final = Reason(6004, "STORAGE_BUSY", Kind.UNAVAILABLE, True, "The database is locked; nothing was stored.")
DRAINING: Final = Reason(6005, "DRAINING", Kind.UNAVAILABLE, True, "This node is stopping and did not start the request.")
INTERNAL: Final = Reason(6006, "INTERNAL", Kind.INTERNAL, True, "A bug of ours; it is in the server's log.")

REASONS: Final = (FRAME_INVALID, FRAME_TOO_LARGE, OPERATION_UNKNOWN, FIELD_INVALID, TEXT_TOO_LONG, HELLO_REQUIRED, VERSION_UNSUPPORTED, TOO_OLD, PAGE_TOKEN_INVALID, UNAUTHENTICATED, TOKEN_EXPIRED, SESSION_REVOKED, KICKED, CREDENTIALS_WRONG, ACCOUNT_DISABLED, REFRESH_REUSED, TICKET_INVALID, RESUME_INVALID, REGISTRATION_CLOSED, INVITE_INVALID, HANDLE_TAKEN, PASSWORD_WEAK, PERMISSION_DENIED, CONVERSATION_NOT_FOUND, NOT_A_MEMBER, MUTED, CONVERSATION_DISSOLVED, USER_NOT_FOUND, MESSAGE_NOT_FOUND, BLOCKED, TARGET_RECALLED, TARGET_TOO_OLD, GROUP_FULL, BANNED, NOT_FOUND, DEVICE_NOT_FOUND, CONFLICT, RATE_LIMITED, SLOW_MODE, OVERLOADED, TOO_MANY_INSTANCES, UNAVAILABLE, DEADLINE_EXCEEDED, STORAGE_FULL, STORAGE_BUSY, DRAINING, INTERNAL)
BY_NUMBER: Final = {reason.number: reason for reason in REASONS}


class CloseCode(IntEnum):
    """Why a socket is closed. Below 4500: the client reconnects."""

    RECONNECT = 4000
    GOING_AWAY = 4001
    SLOW_READER = 4002
    HEARTBEAT_MISSED = 4003
    TOKEN_STALE = 4004
    HELLO_TIMEOUT = 4005
    BACKEND_LOST = 4006
    PROTOCOL_ERROR = 4500
    AUTHENTICATION_FAILED = 4501
    KICKED = 4502
    SESSION_REVOKED = 4503
    VERSION_UNSUPPORTED = 4504
    TOO_LARGE = 4505
    REPLACED = 4506
