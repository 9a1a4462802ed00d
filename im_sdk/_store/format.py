"""Values as JSON, for the rows of the store."""

import base64
import json
from dataclasses import asdict
from typing import Any

from im_sdk._accounts import Tokens
from im_sdk._models import (
    Conversation,
    ConversationKind,
    Custom,
    Membership,
    Mention,
    Message,
    MessageKind,
    Notice,
    NoticeKind,
    Role,
    User,
    UserKind,
)


def dump_message(message: Message) -> str:
    """A message's row."""
    return json.dumps(asdict(message), default=_plain, ensure_ascii=False, separators=(",", ":"))


def load_message(text: str) -> Message:
    """A message of its row."""
    return _message(json.loads(text))


def dump_conversation(conversation: Conversation) -> str:
    """A conversation's row."""
    return json.dumps(asdict(conversation), default=_plain, ensure_ascii=False, separators=(",", ":"))


def load_conversation(text: str) -> Conversation:
    """A conversation of its row."""
    raw = json.loads(text)
    raw["kind"] = ConversationKind(raw["kind"])
    raw["role"] = Role(raw["role"])
    raw["membership"] = Membership(raw["membership"])
    if raw["last_message"] is not None:
        raw["last_message"] = _message(raw["last_message"])
    return Conversation(**raw)


def dump_tokens(tokens: Tokens) -> str:
    """The tokens' row."""
    return json.dumps(asdict(tokens))


def load_tokens(text: str) -> Tokens:
    """The tokens of their row."""
    raw = json.loads(text)
    raw["user"]["kind"] = UserKind(raw["user"]["kind"])
    raw["user"] = User(**raw["user"])
    return Tokens(**raw)


def _message(raw: dict[str, Any]) -> Message:
    raw["kind"] = MessageKind(raw["kind"])
    raw["mentions"] = tuple(Mention(**mention) for mention in raw["mentions"])
    if raw["custom"] is not None:
        raw["custom"]["data"] = base64.b64decode(raw["custom"]["data"])
        raw["custom"] = Custom(**raw["custom"])
    if raw["notice"] is not None:
        notice = raw["notice"]
        notice["kind"] = NoticeKind(notice["kind"])
        notice["user_ids"] = tuple(notice["user_ids"])
        raw["notice"] = Notice(**notice)
    return Message(**raw)


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, NoticeKind):
        return value.value
    raise TypeError(type(value).__name__)
