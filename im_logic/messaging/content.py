"""What a message may say: checked, normalised and digested once, when it comes in."""

from typing import Final, NamedTuple

from im_infra import error_table
from im_infra.errors import ImError
from im_logic.messaging.digest import digest, number
from im_proto.v1.message_pb2 import (
    MESSAGE_TYPE_CUSTOM,
    MESSAGE_TYPE_EDIT,
    MESSAGE_TYPE_TEXT,
    Content,
    Text,
)

_TEXT: Final = int(MESSAGE_TYPE_TEXT)

MAX_KIND_CHARACTERS: Final = 64
MAX_FALLBACK_BYTES: Final = 1_024


class ContentLimits(NamedTuple):
    """How large a content may be."""

    max_text_bytes: int
    max_custom_bytes: int
    max_mentions: int


class Checked(NamedTuple):
    """A content that may be stored."""

    type: int
    """A value of im.v1.MessageType."""
    body: bytes
    """The serialised im.v1.Content."""
    digest: bytes


def check_message(content: Content, *, ref_seq: int, limits: ContentLimits) -> Checked:
    """A new message's content.

    Raises:
        ImError: FIELD_INVALID or TEXT_TOO_LONG, naming the field.
    """
    if ref_seq < 0:
        raise ImError(error_table.FIELD_INVALID, "ref_seq: 0 or a seq")
    if content.HasField("text"):
        said = _check_text(content.text, limits)
        return Checked(_TEXT, content.SerializeToString(), digest([b"text", number(ref_seq), *said]))
    if not content.HasField("custom"):
        raise ImError(error_table.FIELD_INVALID, "content: text or custom")
    custom = content.custom
    if not 1 <= len(custom.kind) <= MAX_KIND_CHARACTERS:
        raise ImError(error_table.FIELD_INVALID, f"content.custom.kind: 1 to {MAX_KIND_CHARACTERS} characters")
    fallback = custom.fallback.encode()
    if len(fallback) > MAX_FALLBACK_BYTES:
        raise ImError(error_table.TEXT_TOO_LONG, f"content.custom.fallback: at most {MAX_FALLBACK_BYTES} bytes")
    if len(custom.data) > limits.max_custom_bytes:
        raise ImError(error_table.TEXT_TOO_LONG, f"content.custom.data: at most {limits.max_custom_bytes} bytes")
    fields = (b"custom", number(ref_seq), custom.kind.encode(), custom.data, fallback)
    return Checked(MESSAGE_TYPE_CUSTOM, content.SerializeToString(), digest(fields))


def check_edit(text: Text, *, seq: int, limits: ContentLimits) -> Checked:
    """An edit's new text.

    Raises:
        ImError: FIELD_INVALID or TEXT_TOO_LONG, naming the field.
    """
    said = _check_text(text, limits)
    return Checked(MESSAGE_TYPE_EDIT, Content(edit=text).SerializeToString(), digest((b"edit", number(seq), *said)))


def _check_text(text: Text, limits: ContentLimits) -> list[bytes]:
    """The text's fields for the digest, once they are found good."""
    words = text.text
    encoded = words.encode()
    if not encoded:
        raise ImError(error_table.FIELD_INVALID, "text: not empty")
    if len(encoded) > limits.max_text_bytes:
        raise ImError(error_table.TEXT_TOO_LONG, f"text: at most {limits.max_text_bytes} bytes")
    said = [encoded]
    mentions = text.mentions
    if mentions:
        if len(mentions) > limits.max_mentions:
            raise ImError(error_table.FIELD_INVALID, f"mentions: at most {limits.max_mentions}")
        for mention in mentions:
            if mention.offset < 0 or mention.length < 1 or mention.offset + mention.length > len(words):
                raise ImError(error_table.FIELD_INVALID, "mentions: within the text")
            said.append(b"%d %d %d" % (mention.user_id, mention.offset, mention.length))
    return said
