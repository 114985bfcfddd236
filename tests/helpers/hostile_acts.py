"""What hostile people do all day, each in a process of its own: `python -m tests.helpers.hostile_acts ACT WHERE`.

WHERE is JSON with the addresses that the act needs. Each goes on until it is ended. They run at the lowest priority,
as if they had computers of their own: what they cost is what they make our services do.
"""

import asyncio
import contextlib
import itertools
import json
import os
import random
import secrets
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import cv2
import numpy as np
import pika
from pika.exceptions import AMQPError

Where = dict[str, str]
PERSISTENT = 2
SECRETS = "http://169.254.169.254/latest/meta-data/"


def send_lies(where: Where) -> None:
    """Small frames as fast as the broker takes them, each lying about everything that a client can write."""
    picture = _jpeg(64, 48)
    numbers = itertools.count()
    while True:
        with contextlib.suppress(AMQPError), _channel(where) as channel:
            for number in numbers:
                lies = {
                    "timestamp": repr(time.time() + random.choice((0, 0, 3600, -3600))),
                    "camera_id": random.choice(("demo-1", f"invented-{number}")),
                    "frame_id": f"demo-1:{number}",
                    "x-framefleet-attempts": 1,
                    "x-framefleet-reason": "crashed",
                    "CC": ["frame_queue", "result_queue"],
                    "BCC": ["frame_queue.dlq"],
                }
                if number % 3 == 0:
                    lies["model"] = "yunet,haar:vote"
                _publish(channel, where, picture, lies, reply_to="somebody-else's-queue")


def send_heavy_pictures(where: Where) -> None:
    """The dearest pictures that may be sent."""
    noise = np.random.default_rng(1).integers(0, 255, (270, 512, 3), np.uint8)
    picture = cv2.imencode(".png", cv2.resize(noise, (4096, 2160), interpolation=cv2.INTER_NEAREST))[1]
    while True:
        with contextlib.suppress(AMQPError), _channel(where) as channel:
            while True:
                _publish(channel, where, picture.tobytes(), {"timestamp": repr(time.time())})
                time.sleep(0.05)


def send_huge_rubbish(where: Where) -> None:
    """Eleven megabytes of nothing, again and again: dead letters, each as large as a message may be."""
    rubbish = b"\xff\xd8\xff" + os.urandom(11 * 1024 * 1024).replace(b"\xff", b"\0")  # no marker by chance
    while True:
        with contextlib.suppress(AMQPError), _channel(where) as channel:
            while True:
                _publish(channel, where, rubbish, {"timestamp": repr(time.time())})
                time.sleep(1)


async def watch_everything(where: Where) -> None:
    """Sixty sockets that want a thousand invented cameras each, change their mind, and lie about painting."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {where['token']}"}) as http:
        await asyncio.gather(*(_one_socket(http, where, number) for number in range(60)))


async def _one_socket(http: aiohttp.ClientSession, where: Where, number: int) -> None:
    while True:
        with contextlib.suppress(aiohttp.ClientError, OSError):
            async with http.ws_connect(
                f"{where['gateway']}/ws/results", protocols=["framefleet.v1"], max_msg_size=0
            ) as socket:
                reading = asyncio.create_task(_read(socket))
                try:
                    for turn in itertools.count():
                        cameras = [f"invented-{number}-{turn % 7}-{n}" for n in range(1000)]
                        wanted = {"type": "subscribe", "cameras": cameras, "pictures": cameras[:256]}
                        await socket.send_json(wanted)
                        await socket.send_json(
                            {"type": "painted", "frame_id": "f", "age": random.choice((0.0, 59.0, 1e9))}
                        )
                        await asyncio.sleep(0.3)
                finally:
                    reading.cancel()
        await asyncio.sleep(1)


async def _read(socket: aiohttp.ClientWebSocketResponse) -> None:
    async for _ in socket:
        pass


async def ask_everything(where: Where) -> None:
    """The dearest questions, twenty at a time: history, exports, dead letters."""
    paths = (
        "/api/events?limit=500&min_confidence=0.9",
        "/api/events/export",
        "/api/detections/export",
        "/api/dlq?limit=1000",
        "/api/cameras?limit=1000&q=e",
        "/api/activity?step=60",
    )
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {where['token']}"}) as http:

        async def ask() -> None:
            for path in itertools.cycle(paths):
                with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                    async with http.get(f"{where['gateway']}{path}") as answer:
                        await answer.read()
                await asyncio.sleep(0.02)

        await asyncio.gather(*(ask() for _ in range(20)))


async def guess_tokens(where: Where) -> None:
    """Wrong tokens, ten a second."""
    async with aiohttp.ClientSession() as http:
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                headers = {"Authorization": f"Bearer {secrets.token_urlsafe(32)}"}
                async with http.get(f"{where['gateway']}/api/cameras", headers=headers) as answer:
                    await answer.read()
            await asyncio.sleep(0.1)


async def be_hostile_cameras(where: Where) -> None:
    """The cameras of hostile.yaml: they send the producer elsewhere, or never end."""
    from aiohttp import web

    playlist = f'#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-KEY:METHOD=AES-128,URI="{SECRETS}"\n'
    playlist += f"#EXTINF:1,\n{where['gateway']}/livez\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"

    async def index(_request: web.Request) -> web.Response:
        return web.Response(text=playlist, content_type="application/vnd.apple.mpegurl")

    async def away(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": SECRETS})

    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
        await answer.prepare(request)
        while True:
            await answer.write(bytes(65536))
            await asyncio.sleep(0.01)

    app = web.Application()
    app.add_routes(
        [web.get("/live.m3u8", index), web.get("/away.jpg", away), web.get("/endless.jpg", endless)]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(where["camera_port"])).start()
    await asyncio.Event().wait()


ACTS: dict[str, Callable[[Where], Awaitable[None] | None]] = {
    act.__name__: act
    for act in (
        send_lies,
        send_heavy_pictures,
        send_huge_rubbish,
        watch_everything,
        ask_everything,
        guess_tokens,
        be_hostile_cameras,
    )
}


@contextlib.contextmanager
def _channel(where: Where) -> Any:
    try:
        connection = pika.BlockingConnection(pika.URLParameters(where["sender"]))
    except AMQPError:
        time.sleep(1)
        raise
    try:
        yield connection.channel()
    finally:
        with contextlib.suppress(AMQPError):
            connection.close()


def _publish(
    channel: Any, where: Where, body: bytes, headers: dict[str, Any], reply_to: str | None = None
) -> None:
    properties = pika.BasicProperties(
        content_type="image/jpeg", headers=headers, delivery_mode=PERSISTENT, reply_to=reply_to
    )
    channel.basic_publish(where["exchange"], where["key"], body, properties)


def _jpeg(width: int, height: int) -> bytes:
    return cv2.imencode(".jpg", np.full((height, width, 3), 127, np.uint8))[1].tobytes()


def main() -> None:
    os.nice(19)
    act = ACTS[sys.argv[1]](json.loads(sys.argv[2]))
    if act is not None:
        asyncio.run(act)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
