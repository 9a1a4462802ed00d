"""What the pages show is so: their blocks are played, in order, against a real cluster.

`console` blocks are run, `transcript` blocks are played over im.v1.json, `toml` blocks are loaded as settings. `sh` blocks
(what would change the machine, or runs for ever) only have to be shell.
"""

import ast
import configparser
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import indent

import pytest
from google.protobuf.json_format import ParseDict

from im_cli.child_cluster import ChildCluster, child_cluster
from im_cli.process.settings import ProcessSettings
from im_gateway.codec.json_codec import JsonCodec
from im_infra.settings import load
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from tests.docs_support.bindings import Bindings, parse
from tests.docs_support.blocks import ROOT, Block, blocks_of, pages
from tests.docs_support.console import run_console
from tests.docs_support.transcript import Peers, lines_of

PLAYED = {"console", "transcript"}
EXAMPLES = [*(ROOT / "docs/examples").glob("*.py"), *(ROOT / "im_sdk/examples").glob("*.py")]


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


def played(part: str) -> list[Path]:
    """The pages of a part that have something to play."""
    return [
        page
        for page in pages()
        if page.is_relative_to(ROOT / "docs" / part) and any(block.language in PLAYED for block in blocks_of(page))
    ]


async def play(page: Path, folder: Path, url: str, bindings: Bindings) -> None:
    """Play a page's blocks in order."""
    async with Peers(url, bindings) as peers:
        for block in blocks_of(page):
            try:
                if block.language == "console":
                    run_console(block.text, bindings, folder)
                elif block.language == "transcript":
                    await peers.replay(block.text)
                elif block.text.startswith("async with Client("):
                    run_python(bindings.real(block.text), folder)
            except AssertionError as error:
                raise AssertionError(f"{block}: {error}") from error


@pytest.mark.parametrize("page", played("reference"), ids=lambda page: page.name)
async def test_a_reference_pages_examples_are_real(page: Path, tmp_path: Path) -> None:
    """Their numbers are those of a cluster in which nothing else ever happened."""
    with playground(tmp_path) as (cluster, bindings):
        await play(page, tmp_path, cluster.url, bindings)


@pytest.mark.slow
async def test_what_the_other_pages_tell_people_to_do_works(tmp_path: Path) -> None:
    """One after the other on one cluster, as a reader might."""
    with playground(tmp_path) as (cluster, bindings):
        for page in [*played("tutorial"), *played("how-to")]:
            await play(page, tmp_path, cluster.url, bindings)


def test_no_page_is_left_out() -> None:
    outside = [
        str(block) for page in pages() for block in blocks_of(page) if block.language in PLAYED and not in_a_part(page)
    ]
    assert outside == []


def in_a_part(page: Path) -> bool:
    """Whether the page is played."""
    return any(page in played(part) for part in ("reference", "tutorial", "how-to"))


def run_python(text: str, folder: Path) -> None:
    """Run the body of a coroutine that uses the SDK."""
    script = (
        f"import asyncio\nfrom im_sdk import Client\nasync def main():\n{indent(text, '    ')}\nasyncio.run(main())\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert not done.returncode, done.stderr


@pytest.mark.parametrize("block", blocks("transcript"), ids=str)
def test_the_frames_of_a_transcript_are_of_the_contract(block: Block) -> None:
    for line in lines_of(block.text):
        if line.text.startswith("closed"):
            continue
        frame = without_rest(parse(line.text))
        if line.direction == ">":
            assert isinstance(JsonCodec().decode(json.dumps(frame))[0], ClientFrame)
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
    load(ProcessSettings, toml=path, environment={})


@pytest.mark.parametrize("block", blocks("sh", "console"), ids=str)
def test_a_pages_commands_are_shell(block: Block) -> None:
    script = block.text
    if block.language == "console":
        script = "\n".join(line.removeprefix("$ ") for line in script.splitlines() if line.startswith("$ "))
        script = script.replace("\\\n", "\n")
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr


def test_every_block_says_what_it_is() -> None:
    known = PLAYED | {"toml", "sh", "text", "python", "ini", "nginx", "json", "yaml"}
    assert [str(block) for page in pages() for block in blocks_of(page) if block.language not in known] == []


RUN_ELSEWHERE = {
    "im_sdk/README.md",  # by the SDK's own suite
    "docs/how-to/write-an-adapter.md",  # tests/integration/im_bench/test_own_adapter.py
}


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_on_a_page_is_an_example_that_is_run(block: Block) -> None:
    if block.page in RUN_ELSEWHERE or block.text.startswith("async with Client("):
        compile(block.text, str(block), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)  # its own suite runs it, or ours
        return
    shown_by_the_sdk = [each.text for each in blocks_of(ROOT / "im_sdk/README.md") if each.language == "python"]
    texts = [*(path.read_text(encoding="utf-8") for path in EXAMPLES), *shown_by_the_sdk]
    assert any(block.text.strip() in text for text in texts), "it is in no example"


@pytest.mark.parametrize("block", blocks("ini"), ids=str)
def test_a_pages_units_can_be_read(block: Block) -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.read_string(block.text)
    assert unit.sections()


@pytest.mark.parametrize("block", blocks("sh", "ini", "console"), ids=str)
def test_a_pages_flags_and_targets_exist(block: Block) -> None:
    commands = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    for line in re.findall(r"\.venv/bin/im (.*)", block.text):
        for flag in re.findall(r"(?<!\S)--[a-z-]+", line):
            assert f"`{flag}" in commands, f"im {line}: no {flag}"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make ([a-z-]+)", block.text, re.MULTILINE):
        assert f"\n{target}:" in makefile
