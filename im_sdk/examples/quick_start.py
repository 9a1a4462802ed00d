"""Come in as a guest, write to the world room, read what others write: python quick_start.py [URL]."""  # noqa: INP001

import asyncio
import sys

from im_sdk import Client, MessageReceived


async def main(url: str) -> None:
    """Say hello and listen."""
    async with Client(url) as client:
        await client.guest("Ada")
        await client.connect()
        client.view(client.world_conversation_id)
        await client.send(client.world_conversation_id, "Hello, world!")
        async for event in client.events():
            if isinstance(event, MessageReceived):
                print(event.message.sender_id, event.message.text)  # noqa: T201 - it is an example


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"))
