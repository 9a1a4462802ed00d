"""What a message may be, and how often."""

from pydantic import Field

from im_infra.settings import Section


class MessagingSettings(Section):
    """Limits of the message path; buckets are per process."""

    max_text_bytes: int = Field(16_384, ge=1, le=60_000, description="bytes of a text in UTF-8")
    max_custom_bytes: int = Field(32_768, ge=1, le=60_000, description="bytes of a custom body")
    max_mentions: int = Field(100, ge=0, description="mentions in one text")
    change_window_ms: int = Field(
        86_400_000, ge=0, description="milliseconds within which an own message may be edited or recalled"
    )
    sends_per_user_s: float = Field(30.0, gt=0, description="new messages a second of one user")
    sends_per_user_burst: int = Field(60, ge=1, description="new messages of one user at once")
    sends_per_group_s: float = Field(
        50.0, gt=0, description="new messages a second in one group of at most `huge_members`"
    )
    sends_per_huge_s: float = Field(
        20.0, gt=0, description="new messages a second in a larger group and in the world room"
    )
    huge_members: int = Field(10_000, ge=1, description="members above which a group counts as huge")
    operations_per_user_s: float = Field(20.0, gt=0, description="other operations a second of one user")
    operations_per_user_burst: int = Field(100, ge=1, description="other operations of one user at once")
    guest_slow_mode_ms: int = Field(
        5_000, ge=0, description="milliseconds between two messages of a guest in the world room"
    )
    typing_interval_ms: int = Field(
        3_000, ge=0, description="milliseconds between two typing pushes of a user in a conversation"
    )
    receipt_members: int = Field(200, ge=2, description="members up to which a group tells typing and receipts")
    group_max_members: int = Field(10_000, ge=2, description="members of a group")
    cached_conversations: int = Field(50_000, ge=100, description="conversations whose state is kept in memory")
    pull_max_bytes: int = Field(49_152, ge=1_024, description="bytes of bodies in one page of history")
