"""Errors, in words for people, with what to do about them."""

from typing import Final

from im_cli.chat.clean import one_line
from im_cli.chat.times import seconds
from im_sdk import ErrorNumber, ImError

_WORDS: Final = {
    ErrorNumber.TEXT_TOO_LONG: "This message is too long. Split it into several.",
    ErrorNumber.UNAUTHENTICATED: "You are not logged in. Log in again.",
    ErrorNumber.TOKEN_EXPIRED: "You were away for long. Log in again.",
    ErrorNumber.SESSION_REVOKED: "You were logged out, here or from another device. Log in again.",
    ErrorNumber.KICKED: "Another device of yours took this one's place.",
    ErrorNumber.CREDENTIALS_WRONG: "The handle or the password is wrong. Check both; no account yet? Register.",
    ErrorNumber.ACCOUNT_DISABLED: "This account is disabled. Ask whoever runs the server.",
    ErrorNumber.REFRESH_REUSED: "This login is not safe any more and was ended. Log in again.",
    ErrorNumber.REGISTRATION_CLOSED: "This server takes no new accounts of this kind. Ask whoever runs it for one.",
    ErrorNumber.INVITE_INVALID: "This invite is unknown, used up or expired. Ask for another one.",
    ErrorNumber.HANDLE_TAKEN: "Somebody has this handle already. Choose another one.",
    ErrorNumber.PASSWORD_WEAK: "A password has 8 to 256 characters. Choose another one.",
    ErrorNumber.PERMISSION_DENIED: "You may not do this here.",
    ErrorNumber.CONVERSATION_NOT_FOUND: "There is no such conversation, or it is not yours.",
    ErrorNumber.NOT_A_MEMBER: "You are not in this conversation any more.",
    ErrorNumber.MUTED: "You are muted here for now.",
    ErrorNumber.CONVERSATION_DISSOLVED: "This group was dissolved; it can be read, not written to.",
    ErrorNumber.USER_NOT_FOUND: "There is nobody of this name. Check the @handle.",
    ErrorNumber.MESSAGE_NOT_FOUND: "This message is gone.",
    ErrorNumber.BLOCKED: "This person does not take messages from you.",
    ErrorNumber.TARGET_RECALLED: "This message was taken back.",
    ErrorNumber.TARGET_TOO_OLD: "This message is too old to be changed.",
    ErrorNumber.GROUP_FULL: "The group is full. Remove somebody, or make another group.",
    ErrorNumber.BANNED: "A banned person cannot be added.",
    ErrorNumber.RATE_LIMITED: "That was too fast. Wait a moment.",
    ErrorNumber.SLOW_MODE: "This conversation takes one message at a time. Wait a moment.",
    ErrorNumber.OVERLOADED: "The server is busy. Wait a moment.",
    ErrorNumber.TOO_MANY_INSTANCES: "Too many windows are open for this account. Close one.",
    ErrorNumber.UNAVAILABLE: "The server cannot answer right now. Try again in a moment.",
    ErrorNumber.DEADLINE_EXCEEDED: "The server did not answer in time. Try again.",
    ErrorNumber.STORAGE_FULL: "The server's disk is full. Tell whoever runs it.",
    ErrorNumber.STORAGE_BUSY: "The server is busy. Try again in a moment.",
    ErrorNumber.DRAINING: "The server is restarting. Try again in a moment.",
    ErrorNumber.INTERNAL: "The server made a mistake. Try again; it is in its log.",
}
_OWN_WORDS: Final = {
    "OUTBOX_FULL": "Too many messages wait already. Wait for the connection, then retry.",
    "STORE_OF_OTHER_SERVER": "What is kept on this machine belongs to another server. Use another --state-dir.",
    "STORE_OF_OTHER_ACCOUNT": "What is kept on this machine belongs to another account. Use another --state-dir.",
    "CLOSED": "The connection is closed.",
}


def words_for(error: ImError) -> str:
    """What went wrong, and what to do, in a sentence or two."""
    if error.name == "UNREACHABLE":
        return f"The server does not answer: {unreachable_reason(error)}. Check the address, and that it runs."
    if error.name in _OWN_WORDS:
        return _OWN_WORDS[error.name]
    try:
        text = _WORDS.get(ErrorNumber(error.number))
    except ValueError:
        text = None
    if text is None:
        text = _sentence(error.message or error.name)
    elif error.retry_after_ms >= 1_000 and text.endswith("Wait a moment."):
        text = text.removesuffix("a moment.") + seconds(error.retry_after_ms / 1000) + "."
    return text


def unreachable_reason(error: ImError) -> str:
    """Why there is no connection, in few words."""
    reason = one_line(error.message)
    for sign, words in (
        ("refused", "nobody listens there"),
        ("timed out", "it takes too long"),
        ("Name or service", "the name is unknown"),
        ("getaddrinfo", "the name is unknown"),
        ("1001", "it stops or restarts"),
        ("1012", "it stops or restarts"),
        ("stopping", "it stops or restarts"),
        ("1006", "the connection broke"),
    ):
        if sign in reason:
            return words
    return reason.rstrip(".") or "no reason is known"


def _sentence(text: str) -> str:
    text = one_line(text)
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
