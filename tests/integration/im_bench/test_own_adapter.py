"""The adapter on the page about adapters measures the server that the page describes."""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

from im_bench.report.verdict import Verdict

PAGE = Path(__file__).parents[3] / "docs/how-to/write-an-adapter.md"


class LineServer:
    """Acks every text, and passes it on to the other one of a pair."""

    def __init__(self) -> None:
        self._people: dict[int, ServerConnection] = {}

    async def serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        own = int(connection.request.path.rpartition("=")[2])
        self._people[own] = connection
        other = own + 1 if own % 2 else own - 1
        async for message in connection:
            told: dict[str, Any] = json.loads(message)
            await connection.send(json.dumps({"ack": True}))
            await self._people[other].send(
                json.dumps({"from": own, "conversation": min(own, other), "text": told["text"]})
            )


async def test_the_adapter_of_the_page_works(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "line_adapter.py").write_text(code, encoding="utf-8")
    async with serve(LineServer().serve, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "im_cli.main", "bench", "private", "--adapter", "line_adapter:LineAdapter",
            "--url", f"http://127.0.0.1:{port}", "--pairs", "3", "--rate", "40", "--duration", "2", "--warm-up", "0",
            "--json", str(tmp_path / "out.json"),
            env={"PATH": "/usr/bin:/bin", "COLUMNS": "120", "PYTHONPATH": str(tmp_path)},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == Verdict.GOOD, output.decode()
    result = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert result["correctness"]["lost"] == 0
    assert result["delivered_per_s"] > 20
