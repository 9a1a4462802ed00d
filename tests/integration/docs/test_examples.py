"""What the pages show is so: each page's blocks are played, in order, against an embedded cluster of its own.

`console` blocks are run, `transcript` blocks are played over im.v1.json, `toml` blocks are loaded as settings. `sh` blocks
(what would change the machine, or runs for ever) only have to be shell.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from google.protobuf.json_format import ParseDict

from im_cli.child_cluster import ChildCluster, child_cluster
from im_cli.embedded.settings import EmbeddedSettings
from im_infra.settings import load
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from tests.docs_support.bindings import Bindings, parse
from tests.docs_support.blocks import ROOT, Block, blocks_of, pages
from tests.docs_support.console import run_console
from tests.docs_support.transcript import Peers, lines_of

PLAYED = {"console", "transcript"}


def blocks(*languages: str) -> list[Block]:
    return [block for page in pages() for block in blocks_of(page) if block.language in languages]


@contextmanager
def playground(folder: Path) -> Iterator[tuple[ChildCluster, Bindings]]:
    """A folder that looks like the project's root, with a cluster that runs on its `data`."""
    (folder / ".venv").symlink_to(ROOT / ".venv")
    (folder / "im_sdk").symlink_to(ROOT / "im_sdk")
    with child_cluster({}, folder / "data") as cluster:
        yield (
            cluster,
            Bindings(**{"http://127.0.0.1:8080": cluster.url, "http://127.0.0.1:8090": cluster.internal_url}),
        )


@pytest.mark.parametrize(
    "page",
    [page for page in pages() if any(block.language in PLAYED for block in blocks_of(page))],
    ids=lambda page: str(page.relative_to(ROOT)),
)
async def test_a_pages_examples_are_real(page: Path, tmp_path: Path) -> None:
    with playground(tmp_path) as (cluster, bindings):
        async with Peers(cluster.url, bindings) as peers:
            for block in blocks_of(page):
                try:
                    if block.language == "console":
                        run_console(block.text, bindings, tmp_path)
                    elif block.language == "transcript":
                        await peers.replay(block.text)
                except AssertionError as error:
                    raise AssertionError(f"{block}: {error}") from error


@pytest.mark.parametrize("block", blocks("transcript"), ids=str)
def test_the_frames_of_a_transcript_are_of_the_contract(block: Block) -> None:
    for line in lines_of(block.text):
        if line.text.startswith("closed"):
            continue
        frame = without_rest(parse(line.text))
        ParseDict(frame, ClientFrame() if line.direction == ">" else ServerFrame())  # unknown names are errors


def without_rest(value: object) -> object:
    """JSON without what stands for more of it."""
    if isinstance(value, dict):
        return {key: without_rest(each) for key, each in value.items() if key != "…" and each != "…"}
    if isinstance(value, list):
        return [without_rest(each) for each in value if each != "…"]
    return value


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_a_pages_settings_load(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "im.toml"
    path.write_text(block.text, encoding="utf-8")
    load(EmbeddedSettings, toml=path, environment={})


@pytest.mark.parametrize("block", blocks("sh", "console"), ids=str)
def test_a_pages_commands_are_shell(block: Block) -> None:
    script = block.text
    if block.language == "console":
        script = "\n".join(line.removeprefix("$ ") for line in script.splitlines() if line.startswith("$ "))
        script = script.replace("\\\n", "\n")
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr


def test_every_block_says_what_it_is() -> None:
    known = PLAYED | {"toml", "sh", "text", "python", "ini", "nginx", "json"}
    assert [str(block) for page in pages() for block in blocks_of(page) if block.language not in known] == []
