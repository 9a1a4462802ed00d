"""`im chat`: its flags, and which of its faces runs."""

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from im_cli.exit_code import CommandError, ExitCode

if TYPE_CHECKING:
    from im_cli.chat.entry import Door

CLOSE_S: Final = 2.0
"""How long the connection and the store may take to close once the screen is gone."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("chat")(chat)


def chat(
    *,
    url: Annotated[str, typer.Option(envvar="IM_CHAT_URL", help="The server.")] = "http://127.0.0.1:8080",
    handle: Annotated[str, typer.Option(help="Come in as this account; else as the last one used here.")] = "",
    guest: Annotated[str, typer.Option(help="Come in as a guest of this name.")] = "",
    logout: Annotated[bool, typer.Option("--logout", help="Log out and forget the account on this machine.")] = False,
    light: Annotated[bool, typer.Option("--light", help="Dark text on a light ground.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="No screen: lines in, lines out, for pipes.")] = False,
    to: Annotated[str, typer.Option(help="With --plain: the private chat with @handle.")] = "",
    conversation: Annotated[int, typer.Option(help="With --plain: the conversation of this id.")] = 0,
    world: Annotated[bool, typer.Option("--world", help="With --plain: the world room.")] = False,
    wait: Annotated[
        float, typer.Option(min=0, help="With --plain: seconds to listen after the end of the input.")
    ] = 0.0,
    follow: Annotated[bool, typer.Option("--follow", help="With --plain: listen until Ctrl-C.")] = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="With --plain: seconds to wait for the connection and for acknowledgements.")
    ] = 30.0,
    password: Annotated[
        str, typer.Option(envvar="IM_CHAT_PASSWORD", help="With --plain: logs --handle in where no login is kept.")
    ] = "",
    register: Annotated[bool, typer.Option("--register", help="With --plain: make the account of --handle.")] = False,
    state_dir: Annotated[
        Path | None,
        typer.Option(
            envvar="IM_CHAT_STATE_DIR", help="Where logins and messages are kept; default $XDG_STATE_HOME/im-chat."
        ),
    ] = None,
    xdg_state_home: Annotated[Path | None, typer.Option(envvar="XDG_STATE_HOME", hidden=True)] = None,
) -> None:
    r"""Talk: a screen for people, or --plain lines for pipes.

    On the screen F1 shows the keys and /help the commands. The login is kept; a second start goes right in.

    With --plain each line of the input is a message, and each message of others is one line of the output,
    `HH:MM @name: text`, with line breaks written as `\n` and backslashes as `\\`; a guest, who has no handle, goes by
    name. Nothing else is printed there. What came while nobody listened here is printed first. Exit codes: 0 all lines
    were stored · 5 the server refused one, or the login · 7 no answer in time.
    """
    from im_cli.chat.entry import Door  # noqa: PLC0415 - the SDK's imports, only when the command runs
    from im_cli.chat.state_folder import StateFolder  # noqa: PLC0415 - as above

    if handle and guest:
        raise CommandError("--handle and --guest exclude each other", code=ExitCode.USAGE)
    root = state_dir or (xdg_state_home or Path.home() / ".local" / "state") / "im-chat"
    door = Door(url, StateFolder(root, url))
    if logout:
        asyncio.run(_log_out(door, handle, guest))
    elif plain:
        from im_cli.chat.plain import PlainOptions, run_plain  # noqa: PLC0415 - as above

        options = PlainOptions(
            handle=handle, guest=guest, password=password, register=register, to=to, conversation=conversation,
            world=world, wait_s=wait, follow=follow, timeout_s=timeout,
        )  # fmt: skip
        raise typer.Exit(asyncio.run(run_plain(door, options, sys.stdin.buffer, sys.stdout)))
    else:
        asyncio.run(_screen(door, handle=handle, guest=guest, light=light))


async def _screen(door: "Door", *, handle: str, guest: str, light: bool) -> None:
    from im_cli.chat.app import ChatApp  # noqa: PLC0415 - Textual, only when a screen is wanted

    app = ChatApp(door, handle=handle, guest=guest, light=light)
    try:
        await app.run_async()
    finally:
        with contextlib.suppress(TimeoutError):  # the store is safe at any moment; leaving is not to be waited for
            async with asyncio.timeout(CLOSE_S):
                await app.leave()


async def _log_out(door: "Door", handle: str, guest: str) -> None:
    account = door.folder.find(handle=handle, guest=guest)
    if account is None:
        raise CommandError("no login is kept here", code=ExitCode.REFUSED)
    told = await door.log_out(account)
    sys.stderr.write(f"{account.label} is forgotten on this machine.\n")
    if not told:
        sys.stderr.write("The server could not be told; its session ends by itself, or with a change of password.\n")
