"""A viewer's token that takes all that its limits let it: `python -m tests.helpers.greedy URL TOKEN SOCKETS CAMERAS`.

Each socket is a dashboard that changes what it wants nearly ten times a second, between everything and a thousand
names, and reads all that comes, until standard input ends. It is a process of its own, because what it computes is not
the gateway's time.
"""

import asyncio
import json
import sys
from contextlib import suppress

import websockets

CHANGES_PER_SECOND = 9.5


async def change_for_ever(url: str, token: str, cameras: list[str], number: int) -> None:
    everything = json.dumps({"type": "subscribe", "cameras": None, "pictures": []})
    pictures = [cameras[(number * 17 + n) % len(cameras)] for n in range(min(256, len(cameras)))]
    invented = [f"{'x' * 50}-{number}-{n}" for n in range(900)]
    some = json.dumps({"type": "subscribe", "cameras": [*invented, *cameras[:50]], "pictures": pictures})
    headers = {"Authorization": f"Bearer {token}"}
    while True:
        with suppress(websockets.ConnectionClosed, websockets.InvalidStatus, OSError, TimeoutError):
            async with websockets.connect(
                url,
                additional_headers=headers,
                subprotocols=[websockets.Subprotocol("framefleet.v1")],
                compression=None,
                max_size=None,
            ) as socket:
                reading = asyncio.create_task(read_all(socket))
                try:
                    while not reading.done():
                        for message in (some, everything):
                            await socket.send(message)
                            await asyncio.sleep(1 / CHANGES_PER_SECOND)
                finally:
                    reading.cancel()
        await asyncio.sleep(0.2)


async def read_all(socket: websockets.ClientConnection) -> None:
    with suppress(websockets.ConnectionClosed):
        async for _ in socket:
            pass


async def main(url: str, token: str, sockets: str, cameras: str) -> None:
    """Run until standard input ends."""
    names = [f"c{n}" for n in range(int(cameras))]
    clients = [
        asyncio.create_task(change_for_ever(url, token, names, number)) for number in range(int(sockets))
    ]
    await asyncio.to_thread(sys.stdin.read)
    for client in clients:
        client.cancel()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
