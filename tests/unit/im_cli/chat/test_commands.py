import pytest

from im_cli.chat.commands import COMMANDS, Call, CommandMistakeError, help_lines, parse


def test_a_text_is_a_text() -> None:
    assert parse("hello /help") == "hello /help"


def test_two_slashes_stand_for_one() -> None:
    assert parse("//etc/passwd") == "/etc/passwd"


def test_a_command_with_a_quoted_title() -> None:
    assert parse('/group "Tea time" @a b') == Call("group", ("Tea time", "@a", "b"))
    assert parse("/HELP") == Call("help")


@pytest.mark.parametrize("line", ["/nonsense", "/", "/ help me"])
def test_what_is_no_command_points_to_help(line: str) -> None:
    with pytest.raises(CommandMistakeError, match=r"/help|goes like this"):
        parse(line)


def test_wrong_arguments_show_the_right_ones() -> None:
    with pytest.raises(CommandMistakeError, match="/new @handle"):
        parse("/new")
    with pytest.raises(CommandMistakeError, match="/leave"):
        parse("/leave now")
    with pytest.raises(CommandMistakeError, match="quotation"):
        parse('/group "Tea')


def test_help_has_every_command() -> None:
    assert len(help_lines()) == len(COMMANDS)
