"""Settings of logic."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field, SecretStr

from im_infra.rpc.settings import StreamSettings
from im_infra.settings import Section
from im_infra.token_keys import MIN_KEY_BYTES, TokenKeys
from im_logic.messaging.settings import MessagingSettings


class PasswordSettings(Section):
    """Argon2id and the threads it runs in."""

    time_cost: int = Field(
        default=2, ge=1, description="Argon2id passes over the memory; OWASP's 2 with 19 MiB is the default."
    )
    memory_kib: int = Field(default=19_456, ge=8, description="Memory of one hash, in KiB.")
    parallelism: int = Field(default=1, ge=1, description="Argon2id lanes of one hash.")
    concurrency: int = Field(
        default=2, ge=1, description="Hashes computed at the same time, each in a thread of its own."
    )
    max_waiting: int = Field(
        default=64, ge=0, description="Hashes that may wait for a thread; one more answers OVERLOADED."
    )


class AccountSettings(Section):
    """Who may come in, and how long what they get is good for."""

    registration: Literal["open", "invite", "closed"] = Field(
        default="open", description="Who may make a registered account: anybody, whoever has an invite code, or nobody."
    )
    guests: bool = Field(default=True, description="Whether people may come in without an account.")
    access_ttl_s: int = Field(default=900, ge=10, description="Life of an access token, in seconds.")
    refresh_ttl_s: int = Field(
        default=2_592_000, ge=60, description="Life of a refresh token that is not used, in seconds."
    )
    refresh_grace_s: int = Field(
        default=60, ge=0, description="How long a refresh token just used answers the same successor again, in seconds."
    )
    ticket_ttl_s: int = Field(default=30, ge=1, description="Life of a one-time ticket, in seconds.")
    password_tries_per_minute: int = Field(
        default=10, ge=1, description="Passwords that may be tried per account and minute, over the whole cluster."
    )
    passwords: PasswordSettings = PasswordSettings()


class DeviceLimits(Section):
    """How many devices of a class may be logged in and connected together; 0: no limit."""

    phone: int = Field(default=1, ge=0, description="Phones of one account.")
    tablet: int = Field(default=1, ge=0, description="Tablets of one account.")
    desktop: int = Field(default=2, ge=0, description="Desktop programs of one account.")
    web: int = Field(default=3, ge=0, description="Browsers of one account.")
    bot: int = Field(default=20, ge=0, description="Installations of one bot.")


class SessionSettings(Section):
    """Live connections."""

    resume_ttl_s: int = Field(default=600, ge=1, description="Life of a resume token, in seconds.")
    max_instances: int = Field(
        default=8, ge=1, description="Tabs or processes of one device that may be connected together."
    )
    devices: DeviceLimits = DeviceLimits()


class WorldSettings(Section):
    """The room everybody is in."""

    enabled: bool = Field(default=True, description="Whether there is a world room.")
    title: str = Field(default="World", min_length=1, max_length=128, description="Its title.")
    slow_mode_s: float = Field(
        default=5.0, ge=0, description="Seconds between two entries of one sender, when it is made."
    )


@dataclass(frozen=True, slots=True)
class Secrets:
    """What logic signs with. There is no default: whoever wires a process brings them.

    Raises:
        ValueError: the refresh key is too short.
    """

    keys: TokenKeys
    """Keys of access tokens; they may be rotated meanwhile."""
    refresh_key: SecretStr
    """Derives the next refresh token from the one presented; at least 32 bytes. It is not rotated with the keys."""

    def __post_init__(self) -> None:
        if len(self.refresh_key.get_secret_value().encode()) < MIN_KEY_BYTES:
            raise ValueError(f"the refresh key is shorter than {MIN_KEY_BYTES} bytes")


class LogicSettings(Section):
    """Everything logic can be told."""

    repo_timeout_s: float = Field(default=5.0, gt=0, description="Deadline of one call to repo, in seconds.")
    accounts: AccountSettings = AccountSettings()
    sessions: SessionSettings = SessionSettings()
    world: WorldSettings = WorldSettings()
    messaging: MessagingSettings = MessagingSettings()
    streams: StreamSettings = StreamSettings()
