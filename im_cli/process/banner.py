"""What a person sees when the cluster is up: where it is, and what to do next."""

import sys

from rich.console import Console

from im_cli.data_folder import DataFolder
from im_cli.process.settings import ProcessSettings
from im_cli.version import installed_version


def print_banner(port: int, settings: ProcessSettings, folder: DataFolder, ready_s: float) -> None:
    """Print it to stdout."""
    console = Console(file=sys.stdout, highlight=False)
    url = f"http://{settings.gateway.public.host}:{port}"
    flag = "" if url == "http://127.0.0.1:8080" else f" --url {url}"
    console.print(
        f"[bold green]im {installed_version()} is up[/] in {ready_s:.2f} s"
        f"\n  clients   {url}  (WebSocket at {settings.gateway.public.websocket_path}, API at {url}/docs)"
        f"\n  data      {folder.path}"
        f"\n\nTalk in a second terminal:  [bold].venv/bin/im chat{flag}[/]"
        "\nStop with Ctrl-C.\n",
        soft_wrap=True,
    )
