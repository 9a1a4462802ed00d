"""Flags that several commands of the load tester share."""

from pathlib import Path
from typing import Annotated

import typer

UrlOption = Annotated[
    str | None, typer.Option(help="An http(s) address of a gateway; without it an embedded cluster is started.")
]
ClusterOption = Annotated[
    bool,
    typer.Option("--cluster", help="Without --url, start a distributed cluster: all engines, one of each service."),
]
TogetherOption = Annotated[
    bool, typer.Option("--together", help="As --cluster, with all services in one process, as on few cores.")
]
CaFileOption = Annotated[
    Path | None, typer.Option(exists=True, help="PEM file with the authority that an https address is checked with.")
]
UsersFileOption = Annotated[
    Path | None,
    typer.Option(help="The accounts of `im bench prepare`; missing ones are made and written to it."),
]
WorkersOption = Annotated[int, typer.Option(min=1, max=64, help="Generator processes that share the load.")]
AdapterOption = Annotated[
    str, typer.Option(help="What the load speaks to: `im`, `echo` (the floor), or `package.module:Class` of your own.")
]
SourceAddressOption = Annotated[
    list[str] | None,
    typer.Option(help="An address of this machine to connect from; may be repeated. On loopback it goes by itself."),
]
ExpectOption = Annotated[
    str | None,
    typer.Option(help="What must be reached, or the exit code is 4: `p99=200ms,ack.p50=5ms,lost=0,acked=5000/s`."),
]
HtmlOption = Annotated[Path | None, typer.Option("--html", help="Write one page with plots to this file.")]
JsonOption = Annotated[Path | None, typer.Option("--json", help="Write the whole result to this file.")]
