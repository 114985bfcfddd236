"""A thousand HTTP snapshot cameras in one process, to load a producer with.

    python -m bench.cameras --cameras 1000 --fps 0.2 --write cameras.yaml
    CAMERAS=cameras.yaml python -m producer

Real JPEGs with faces in them: frames of the videos in --footage, or the demo cameras' pictures. Every camera has an
address of its own in 127.0.0.0/8, as real ones have (--hosts 1: all behind one recorder), and goes through the same
pictures from a place of its own. Nobody but this machine can reach them. `/metrics` at any of the addresses has the
counts. Ends at Ctrl-C, SIGTERM, or after --seconds, with a summary on standard output.
"""

import argparse
import asyncio
import contextlib
import os
import resource
import signal
import sys
import time
from pathlib import Path

from bench.camera_addresses import addresses, as_file, as_source, names
from bench.command import footage_command
from bench.pictures import at_most, pictures
from bench.snapshot_server import Behaviour, Rig, listen

EVERY = 5
"""Of the footage's frames, or the demo's."""
PROGRESS_SECONDS = 10.0


def main() -> int:
    arguments = parsed()
    allow_connections()
    count, hosts = arguments.cameras, arguments.hosts or arguments.cameras
    cameras = addresses(count, arguments.port, hosts)
    if arguments.write is not None:
        arguments.write.write_text(as_file(cameras, arguments.fps))
    if arguments.source:
        print(as_source(cameras), flush=True)
    images = chosen(arguments.footage, arguments.size, arguments.kilobytes * 1000, arguments.pictures)
    rig = Rig(names(count), images, behaviour(arguments))
    size = sum(map(len, images)) / len(images) / 1000
    print(
        f"{count} cameras at {hosts} addresses, port {arguments.port}, {len(images)} pictures of {size:.0f} KB "
        f"on average, {max(map(len, images)) / 1000:.0f} KB at most",
        file=sys.stderr,
    )
    try:
        asyncio.run(serve(rig, arguments.port, arguments.seconds))
    except OSError as error:
        print(
            f"port {arguments.port} cannot be used ({os.strerror(error.errno or 0)}): choose another --port",
            file=sys.stderr,
        )
        return 1
    print(summary(rig))
    return 0


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = footage_command(__doc__)
    add = parser.add_argument
    add("--cameras", type=positive, default=1000)
    add("--port", type=int, default=8090)
    add("--hosts", type=positive, help="addresses that the cameras share; by default each has its own")
    add("--size", type=dimensions, default=(640, 480), metavar="WxH")
    add("--kilobytes", type=positive, default=40, help="a picture has at most; the quality follows")
    add("--pictures", type=positive, default=128, help="different ones, at most")
    add("--rate", type=float, default=25.0, help="pictures a second that a camera takes")
    add("--static", type=share, default=0.0, help="share of the cameras (0-1) whose picture never changes")
    add("--latency", type=duration, default=0.0, help="time until an answer begins: 20ms, 0.5s")
    add("--errors", type=share, default=0.0, help="share of the requests that are answered 503")
    add(
        "--stalls",
        type=share,
        default=0.0,
        help="share of the requests that get half an answer and then silence",
    )
    add("--etags", action="store_true", help="ETag, and 304 for a picture that is unchanged")
    add("--seed", type=int, default=1, help="of which requests fail")
    add("--seconds", type=float, help="end after so long")
    add("--write", type=Path, metavar="FILE", help="write a cameras.yaml for the producer")
    add("--fps", type=float, default=0.2, help="in that file: how often the producer shall ask each camera")
    add("--source", action="store_true", help="print what SOURCE is to be instead")
    arguments = parser.parse_args()
    if arguments.rate <= 0:
        parser.error("--rate: more than 0; for pictures that never change there is --static 1")
    return arguments


def behaviour(arguments: argparse.Namespace) -> Behaviour:
    """Of the command line."""
    return Behaviour(
        rate=arguments.rate,
        static=arguments.static,
        latency=arguments.latency,
        errors=arguments.errors,
        stalls=arguments.stalls,
        etags=arguments.etags,
        seed=arguments.seed,
    )


def chosen(footage: Path | None, size: tuple[int, int], limit: int, most: int) -> list[bytes]:
    """At most `most` different pictures of `limit` bytes at most, from all parts of the footage."""
    found = pictures(footage, size, EVERY)
    return [at_most(image, limit) for image in found[:: -(-len(found) // most)]]


async def serve(rig: Rig, port: int, seconds: float | None) -> None:
    """Until a signal, or for so long. Raises OSError if the port is taken."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = await listen(rig, port)
    telling = asyncio.create_task(tell(rig))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
    telling.cancel()
    server.close()


async def tell(rig: Rig) -> None:
    """Every few seconds, when somebody asked."""
    told = 0
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        if rig.counts.total() > told:
            rate, told = (rig.counts.total() - told) / PROGRESS_SECONDS, rig.counts.total()
            print(f"{rate:.0f} requests/s, {summary(rig)}", file=sys.stderr)


def summary(rig: Rig) -> str:
    """What was answered so far, and what that cost."""
    requests, cpu = rig.counts.total(), time.process_time() - rig.begun
    kinds = "".join(f", {count} {kind}" for kind, count in sorted(rig.counts.items()))
    each = f" ({1e6 * cpu / requests:.0f} µs per request)" if requests else ""
    return f"{requests} requests{kinds}, {cpu:.2f} s of CPU{each}"


def allow_connections() -> None:
    """As many open files as this user may have: 1,024, the usual limit, are too few for a thousand cameras."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def positive(text: str) -> int:
    """A whole number above 0."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def share(text: str) -> float:
    """A number from 0 to 1."""
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return number


def duration(text: str) -> float:
    """Seconds, of `20ms`, `0.5s` or `0.5`."""
    number, unit = (text[:-2], 0.001) if text.endswith("ms") else (text.removesuffix("s"), 1.0)
    seconds = float(number) * unit
    if not 0 <= seconds < 3600:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and an hour")
    return seconds


def dimensions(text: str) -> tuple[int, int]:
    """Width and height, of `640x480`."""
    width, _, height = text.partition("x")
    return positive(width), positive(height)


if __name__ == "__main__":
    sys.exit(main())
