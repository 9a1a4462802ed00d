"""A client in one page, without an SDK: python minimal_client.py NAME TEXT [URL]."""

import asyncio
import json
import secrets
import sys
import time
import urllib.request
from typing import Any

import websockets


def uuid7() -> str:
    """48 bits of milliseconds, a 7, random bits: made once per message, kept over its retries."""
    value = int(time.time() * 1000) << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    digits = f"{value:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def come_in(url: str, name: str) -> dict[str, Any]:
    """The tokens of a new guest."""
    body = {"display_name": name, "installation": {"device_id": f"minimal-{secrets.token_hex(8)}"}}
    request = urllib.request.Request(
        f"{url}/api/v1/guests", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["grant"]


class World:
    """The world room as one connection sees it."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket
        self.conversation_id = ""
        self.local = 0  # the contiguous prefix, never the highest seq seen
        self.held: dict[int, Any] = {}

    async def ask(self, request_id: int, operation: str, **fields: object) -> None:
        """Write a request; its answer has the same request_id."""
        await self.socket.send(json.dumps({"request_id": request_id, operation: fields}))

    def apply(self, message: dict[str, Any]) -> None:
        """Print what is next, drop repeats, hold what is ahead."""
        self.held[int(message["seq"])] = message
        while self.local + 1 in self.held:
            self.local += 1
            text = self.held.pop(self.local).get("content", {}).get("text", {}).get("text", "")
            print(self.local, text, flush=True)
        self.held = {seq: each for seq, each in self.held.items() if seq > self.local}

    async def take(self, message: dict[str, Any]) -> None:
        """The push rule: what is ahead may be about to be followed by what is missing; else ask for the hole."""
        self.apply(message)
        if self.held:
            await asyncio.sleep(secrets.randbelow(600) / 1000 + 0.4)
            await self.pull(9)

    async def pull(self, request_id: int) -> None:
        """Ask for the page behind what is here."""
        await self.ask(request_id, "pull", conversation_id=self.conversation_id, from_seq=self.local + 1)


async def main(name: str, text: str, url: str) -> None:
    """Say hello, look at the world room, say something, print what comes."""
    grant = come_in(url, name)
    async with websockets.connect(f"ws{url.removeprefix('http')}/ws", subprotocols=["im.v1.json"]) as socket:
        world = World(socket)
        await world.ask(1, "hello", access_token=grant["access_token"], instance_id=secrets.token_hex(8))
        async for received in socket:
            frames = json.loads(received)
            for frame in frames if isinstance(frames, list) else [frames]:
                if "error" in frame:
                    print(frame["error"]["name"], frame["error"]["message"], file=sys.stderr)
                elif "hello" in frame:
                    world.conversation_id = frame["hello"]["world_conversation_id"]
                    await world.ask(2, "view", conversation_ids=[world.conversation_id])
                elif "view" in frame:  # now pull once: what came before the view is not pushed again
                    await world.pull(3)
                elif "pull" in frame:
                    for message in frame["pull"]["messages"]:
                        world.apply(message)
                    if world.held:  # the hole is longer than a page
                        await world.pull(9)
                    if frame["request_id"] == "3":
                        content = {"text": {"text": text}}
                        await world.ask(
                            4, "send", conversation_id=world.conversation_id, client_message_id=uuid7(), content=content
                        )
                elif "send" in frame:  # the ack is an entry: ours, on disk, with its place
                    await world.take({"seq": frame["send"]["seq"], "content": {"text": {"text": text}}})
                elif "message_push" in frame:
                    await world.take(frame["message_push"]["message"])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3], *(sys.argv[3:] or ["http://127.0.0.1:8080"])))
