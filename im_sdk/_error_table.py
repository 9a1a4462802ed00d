"""What the SDK knows of errors and close codes: generated from proto/errors.yaml by `make proto`; edit that."""

from enum import IntEnum
from typing import Final


class ErrorNumber(IntEnum):
    """Why a request failed."""

    FRAME_INVALID = 1001
    FRAME_TOO_LARGE = 1002
    OPERATION_UNKNOWN = 1003
    FIELD_INVALID = 1004
    TEXT_TOO_LONG = 1005
    HELLO_REQUIRED = 1006
    VERSION_UNSUPPORTED = 1007
    TOO_OLD = 1008
    PAGE_TOKEN_INVALID = 1009
    UNAUTHENTICATED = 2001
    TOKEN_EXPIRED = 2002
    SESSION_REVOKED = 2003
    KICKED = 2004
    CREDENTIALS_WRONG = 2005
    ACCOUNT_DISABLED = 2006
    REFRESH_REUSED = 2007
    TICKET_INVALID = 2008
    RESUME_INVALID = 2009
    REGISTRATION_CLOSED = 2010
    INVITE_INVALID = 2011
    HANDLE_TAKEN = 2012
    PASSWORD_WEAK = 2013
    PERMISSION_DENIED = 3001
    CONVERSATION_NOT_FOUND = 3002
    NOT_A_MEMBER = 3003
    MUTED = 3004
    CONVERSATION_DISSOLVED = 3005
    USER_NOT_FOUND = 3006
    MESSAGE_NOT_FOUND = 3007
    BLOCKED = 3008
    TARGET_RECALLED = 3009
    TARGET_TOO_OLD = 3010
    GROUP_FULL = 3011
    BANNED = 3012
    NOT_FOUND = 3013
    DEVICE_NOT_FOUND = 3014
    CONFLICT = 4001
    RATE_LIMITED = 5001
    SLOW_MODE = 5002
    OVERLOADED = 5003
    TOO_MANY_INSTANCES = 5004
    UNAVAILABLE = 6001
    DEADLINE_EXCEEDED = 6002
    STORAGE_FULL = 6003
    STORAGE_BUSY = 6004
    DRAINING = 6005
    INTERNAL = 6006


class CloseCode(IntEnum):
    """Why the server closed the socket."""

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


RETRYABLE: Final = frozenset(
    {
        ErrorNumber.RATE_LIMITED,
        ErrorNumber.SLOW_MODE,
        ErrorNumber.OVERLOADED,
        ErrorNumber.UNAVAILABLE,
        ErrorNumber.DEADLINE_EXCEEDED,
        ErrorNumber.STORAGE_FULL,
        ErrorNumber.STORAGE_BUSY,
        ErrorNumber.DRAINING,
        ErrorNumber.INTERNAL,
    }
)

KINDS: Final = {
    ErrorNumber.FRAME_INVALID: "INVALID",
    ErrorNumber.FRAME_TOO_LARGE: "INVALID",
    ErrorNumber.OPERATION_UNKNOWN: "INVALID",
    ErrorNumber.FIELD_INVALID: "INVALID",
    ErrorNumber.TEXT_TOO_LONG: "INVALID",
    ErrorNumber.HELLO_REQUIRED: "INVALID",
    ErrorNumber.VERSION_UNSUPPORTED: "INVALID",
    ErrorNumber.TOO_OLD: "INVALID",
    ErrorNumber.PAGE_TOKEN_INVALID: "INVALID",
    ErrorNumber.UNAUTHENTICATED: "DENIED",
    ErrorNumber.TOKEN_EXPIRED: "DENIED",
    ErrorNumber.SESSION_REVOKED: "DENIED",
    ErrorNumber.KICKED: "DENIED",
    ErrorNumber.CREDENTIALS_WRONG: "DENIED",
    ErrorNumber.ACCOUNT_DISABLED: "DENIED",
    ErrorNumber.REFRESH_REUSED: "DENIED",
    ErrorNumber.TICKET_INVALID: "DENIED",
    ErrorNumber.RESUME_INVALID: "DENIED",
    ErrorNumber.REGISTRATION_CLOSED: "DENIED",
    ErrorNumber.INVITE_INVALID: "DENIED",
    ErrorNumber.HANDLE_TAKEN: "CONFLICT",
    ErrorNumber.PASSWORD_WEAK: "INVALID",
    ErrorNumber.PERMISSION_DENIED: "DENIED",
    ErrorNumber.CONVERSATION_NOT_FOUND: "NOT_FOUND",
    ErrorNumber.NOT_A_MEMBER: "DENIED",
    ErrorNumber.MUTED: "DENIED",
    ErrorNumber.CONVERSATION_DISSOLVED: "CONFLICT",
    ErrorNumber.USER_NOT_FOUND: "NOT_FOUND",
    ErrorNumber.MESSAGE_NOT_FOUND: "NOT_FOUND",
    ErrorNumber.BLOCKED: "DENIED",
    ErrorNumber.TARGET_RECALLED: "CONFLICT",
    ErrorNumber.TARGET_TOO_OLD: "CONFLICT",
    ErrorNumber.GROUP_FULL: "CONFLICT",
    ErrorNumber.BANNED: "DENIED",
    ErrorNumber.NOT_FOUND: "NOT_FOUND",
    ErrorNumber.DEVICE_NOT_FOUND: "NOT_FOUND",
    ErrorNumber.CONFLICT: "CONFLICT",
    ErrorNumber.RATE_LIMITED: "EXHAUSTED",
    ErrorNumber.SLOW_MODE: "EXHAUSTED",
    ErrorNumber.OVERLOADED: "EXHAUSTED",
    ErrorNumber.TOO_MANY_INSTANCES: "EXHAUSTED",
    ErrorNumber.UNAVAILABLE: "UNAVAILABLE",
    ErrorNumber.DEADLINE_EXCEEDED: "UNAVAILABLE",
    ErrorNumber.STORAGE_FULL: "UNAVAILABLE",
    ErrorNumber.STORAGE_BUSY: "UNAVAILABLE",
    ErrorNumber.DRAINING: "UNAVAILABLE",
    ErrorNumber.INTERNAL: "INTERNAL",
}


def reconnects(close_code: int) -> bool:
    """Whether a client connects again after this close code: all but 4500 to 4999."""
    return not 4500 <= close_code <= 4999
