"""The list of conversations: two lines each, the most recently active first."""

from collections.abc import Sequence
from datetime import tzinfo

from rich.text import Text
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from im_cli.chat import times
from im_cli.chat.clean import fitted
from im_cli.chat.notices import preview_of, title_of
from im_cli.chat.people import People
from im_cli.chat.widgets.palette import DARK, LIGHT, Palette
from im_sdk import Conversation, ConversationKind

_SIGNS = {ConversationKind.GROUP: "#", ConversationKind.WORLD: "◎"}
UNREAD_SHOWN = 99


class ConversationList(OptionList):
    """Chooses a conversation."""

    DEFAULT_CSS = """
    ConversationList {
        border: none; padding: 0; background: $surface; scrollbar-size-vertical: 1; height: 1fr;
        scrollbar-color: $panel; scrollbar-background: $surface; scrollbar-background-hover: $surface;
    }
    ConversationList:focus { border: none; background-tint: transparent; }
    ConversationList > .option-list--option { padding: 0; }
    ConversationList > .option-list--option-highlighted { background: $panel; text-style: none; }
    ConversationList:focus > .option-list--option-highlighted { background: $primary 25%; text-style: none; }
    """

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._shown: list[tuple[int, Text]] = []

    def show(
        self,
        conversations: Sequence[Conversation],
        current: int | None,
        people: People,
        *,
        now_ms: int,
        zone: tzinfo | None,
    ) -> None:
        """Draw these; what is as before is left alone."""
        width = max(12, self.scrollable_content_region.width)
        palette = DARK if self.app.current_theme.dark else LIGHT
        fresh = [
            (each.conversation_id, entry_text(each, people, width, palette, now_ms=now_ms, zone=zone,
                                              current=each.conversation_id == current))
            for each in conversations
        ]  # fmt: skip
        before, self._shown = self._shown, fresh
        if [key for key, _ in before] == [key for key, _ in fresh]:
            for index, (old, new) in enumerate(zip(before, fresh, strict=True)):
                if old[1] != new[1] or old[1].spans != new[1].spans:
                    self.replace_option_prompt_at_index(index, new[1])
            return
        chosen = self._id_at(self.highlighted)
        self.set_options(Option(text, id=str(key)) for key, text in fresh)
        keys = [key for key, _ in fresh]
        wanted = chosen if self.has_focus and chosen in keys else current
        self.highlighted = keys.index(wanted) if wanted in keys else None

    def point_at(self, conversation_id: int) -> None:
        """Highlight one."""
        for index, (key, _) in enumerate(self._shown):
            if key == conversation_id and self.highlighted != index:
                self.highlighted = index

    def _id_at(self, index: int | None) -> int | None:
        if index is None or index >= self.option_count:
            return None
        return int(self.get_option_at_index(index).id or 0)


def entry_text(
    conversation: Conversation,
    people: People,
    width: int,
    palette: Palette,
    *,
    now_ms: int,
    zone: tzinfo | None,
    current: bool,
) -> Text:
    """Title and time; last message and how many are unread: two lines of exactly `width` cells."""
    time = times.in_list(conversation.active_time, now_ms, zone) if conversation.active_time else ""
    sign = _SIGNS.get(conversation.kind, "")
    title = f"{sign} {title_of(conversation, people)}" if sign else title_of(conversation, people)
    unread = conversation.unread
    badge = f" {'99+' if unread > UNREAD_SHOWN else unread} " if unread else ""
    if conversation.mentioned and unread:
        badge = f" @{badge.strip()} "
    bar = Text("▎" if current else " ", palette.own)
    room = width - 2
    first = Text.assemble(
        bar,
        (fitted(title, room - len(time) - 1), f"bold {palette.text}" if unread or current else palette.text),
        " ",
        (time, palette.faint),
        " ",
    )
    gap = 1 if badge else 0
    second = Text.assemble(
        bar,
        (fitted(preview_of(conversation, people), room - len(badge) - gap), palette.faint),
        " " * gap,
        (badge, f"bold reverse {palette.own}") if badge else "",
        " ",
    )
    return Text("\n", no_wrap=True).join([first, second])
