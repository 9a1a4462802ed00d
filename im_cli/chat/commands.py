"""What is typed behind a slash: parsed here, done by the screen."""

import shlex
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Command:
    """A command there is."""

    name: str
    arguments: str
    """As `/help` shows them."""
    meaning: str
    least: int = 0
    """Arguments needed."""
    most: int = 0


COMMANDS: Final = (
    Command("new", "@handle", "Private chat with somebody", least=1, most=1),
    Command("group", "Title @handle …", "New group; put a title of several words in quotes", least=1, most=500),
    Command("world", "", "The room everybody is in"),
    Command("add", "@handle …", "Add people to this group", least=1, most=100),
    Command("remove", "@handle", "Remove somebody from this group", least=1, most=1),
    Command("members", "", "Who is in this conversation"),
    Command("leave", "", "Leave this group"),
    Command("dissolve", "", "End this group for everybody"),
    Command("edit", "", "Change your last message (↑ in the empty line does it too)"),
    Command("recall", "", "Take your last message back"),
    Command("retry", "", "Send again what was not sent"),
    Command("theme", "", "Light or dark"),
    Command("logout", "", "Log out, and forget this account on this machine"),
    Command("quit", "", "Close"),
    Command("help", "", "This list"),
)
_BY_NAME: Final = {command.name: command for command in COMMANDS}


@dataclass(frozen=True, slots=True)
class Call:
    """A command with its arguments."""

    name: str
    arguments: tuple[str, ...] = ()


class CommandMistakeError(Exception):
    """What was typed is no command; the text says what would be."""


def parse(line: str) -> Call | str:
    """A command, or the text to send: `//` at its start stands for one slash that is part of it.

    Raises:
        CommandMistakeError: it begins with a slash and is no command.
    """
    if not line.startswith("/"):
        return line
    if line.startswith("//"):
        return line[1:]
    try:
        words = shlex.split(line[1:])
    except ValueError:
        raise CommandMistakeError("A quotation mark is missing its partner.") from None
    if not words or words[0].lower() not in _BY_NAME:
        raise CommandMistakeError(
            f"There is no command {line.split(maxsplit=1)[0]}: /help lists them. Type // for a text that begins with a slash."
        )
    command, arguments = _BY_NAME[words[0].lower()], tuple(words[1:])
    if not command.least <= len(arguments) <= command.most:
        usage = f"/{command.name} {command.arguments}".rstrip()
        raise CommandMistakeError(f"It goes like this: {usage}")
    return Call(command.name, arguments)


def help_lines() -> list[tuple[str, str]]:
    """Each command with its arguments, and what it does."""
    return [(f"/{command.name} {command.arguments}".rstrip(), command.meaning) for command in COMMANDS]
