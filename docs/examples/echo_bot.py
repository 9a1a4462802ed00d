"""Answer every private message with its own text: python echo_bot.py HANDLE PASSWORD [URL]."""

import asyncio
import sys

from im_sdk import Client, ConversationKind, DeviceClass, LocalStore, MessageReceived


async def main(handle: str, password: str, url: str) -> None:
    """Run until killed; what came while it was down is answered when it is back."""
    store = LocalStore(f"{handle}.sqlite3")
    async with Client(url, store=store, device_class=DeviceClass.BOT, device_name="echo bot") as client:
        await client.login(handle, password)
        await client.connect()
        print("ready", flush=True)
        async for event in client.events():
            if not isinstance(event, MessageReceived):
                continue
            message, text = event.message, event.message.text
            conversation = client.conversation(message.conversation_id)
            if text and conversation is not None and conversation.kind is ConversationKind.DIRECT:
                await client.send(message.conversation_id, text, reply_to=message.seq)
                await client.mark_read(message.conversation_id, message.seq)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3], *(sys.argv[3:] or ["http://127.0.0.1:8080"])))
