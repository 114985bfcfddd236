"""RTSP cameras per core: what it costs to read H.264 of 640x480 and 25 frames a second, sampled to 2 a second.

    python -m bench.rtsp [--footage FOLDER] [--cameras 8] [--seconds 20] [--quick]

GStreamer's RTSP server (Debian) sends the same minute of video to each camera, over TCP, a keyframe every two seconds.
Measured are the decoding processes only, once all cameras are live: CPU time from the scheduler's own clock, resident
memory, and what the producer itself needs to take the pictures over. The first row is a process per camera.
"""

import asyncio
import sys
import tempfile
import time
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from bench.command import command
from bench.machine import cpu_seconds, facts, resident_megabytes
from bench.pictures import PASSERS
from bench.tables import percent, table
from producer.frames import Captured, Skipped
from producer.sources.stream import Stream
from producer.sources.streams.pool import Pool
from tests.helpers.stream_servers import rtsp_server
from tests.helpers.video_files import run

FPS = 2.0
STREAM_FPS = 25
SETTLE_SECONDS = 5.0  # opening is over, and two keyframes were seen


@dataclass(frozen=True)
class Row:
    """So many cameras, so many to a process; nothing moves in an idle one."""

    cameras: int
    per_process: int
    idle: bool


@dataclass
class Seen:
    """One camera's frames: those that were sent over, and those that were not even decoded."""

    pictures: int = 0
    undecoded: int = 0


def rows(cameras: int, quick: bool) -> list[Row]:
    """What is measured."""
    few = [Row(cameras, 1, False), Row(cameras, 8, False), Row(cameras, 8, True)]
    return few if quick else [*few, Row(2 * cameras, 2 * cameras, False), Row(2 * cameras, 2 * cameras, True)]


def video(folder: Path, footage: Path | None) -> Path:
    """A minute of H.264 in MP4, 1 Mbit/s."""
    path = folder / "yard.mp4"
    if footage is not None and (footage / PASSERS).exists():
        given = [
            "-stream_loop",
            "-1",
            "-i",
            str(footage / PASSERS),
            "-vf",
            f"scale=640:480,fps={STREAM_FPS}",
            "-an",
        ]
    else:
        given = ["-f", "lavfi", "-i", f"testsrc2=size=640x480:rate={STREAM_FPS},noise=alls=8:allf=t"]
    # As cameras write it: entropy coding by context, deblocking, no frame that refers to a later one.
    codec = [
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-profile:v",
        "high",
        "-pix_fmt",
        "yuv420p",
        "-bf",
        "0",
    ]
    run(*given, "-t", "60", *codec, "-b:v", "1M", "-g", "50", str(path))
    return path


async def measure(row: Row, address: str, seconds: float) -> tuple[str, ...]:
    """One line of the table."""
    async with Pool(cameras=row.per_process) as pool:
        sources = [Stream(f"rtsp://{address}/yard", pool, fps=FPS) for _ in range(row.cameras)]
        seen = [Seen() for _ in sources]
        reading = [asyncio.create_task(_read(*pair)) for pair in zip(sources, seen, strict=True)]
        while not all(each.pictures for each in seen):
            await asyncio.sleep(0.1)
        for source in sources:
            source.set_idle(row.idle)
        await asyncio.sleep(SETTLE_SECONDS)
        for each in seen:
            each.pictures = each.undecoded = 0
        pids = list(pool.pids)
        begin, ours, clock = _cpu(pids), time.process_time(), time.monotonic()
        await asyncio.sleep(seconds)
        length = (time.monotonic() - clock) * row.cameras
        cost, ours = (_cpu(pids) - begin) / length, (time.process_time() - ours) / length
        memory = sum(resident_megabytes(pid)[0] for pid in pids)
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
    return (
        str(row.cameras),
        str(len(pids)),
        "keyframes" if row.idle else "all",
        f"{sum(each.pictures for each in seen) / length:.2f}",
        percent(sum(each.undecoded for each in seen) / length / STREAM_FPS),
        f"{1000 * cost:.1f}",
        f"{1 / cost:.0f}",
        f"{1000 * ours:.2f}",
        f"{memory:.0f}",
        f"{memory / row.cameras:.0f}",
    )


async def _read(source: Stream, seen: Seen) -> None:
    async with aclosing(source.frames()) as items:
        async for item in items:
            if isinstance(item, Captured):
                seen.pictures += 1
            elif isinstance(item, Skipped) and item.reason == "idle":
                seen.undecoded += item.count


def _cpu(pids: list[int]) -> float:
    return sum(cpu_seconds(pid) for pid in pids)


def main() -> int:
    """Print the table."""
    parser = command(__doc__)
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lines = []
        for row in rows(given.cameras, given.quick):
            # A server for each row: its files begin anew, and last a minute.
            with rtsp_server(yard=video(Path(folder), given.footage)) as address:
                lines.append(asyncio.run(measure(row, address, min(given.seconds, 40.0))))
            print(lines[-1], file=sys.stderr)
    print(facts())
    heads = [
        "cameras",
        "processes",
        "decoded",
        "pictures/s each",
        "not decoded",
        "CPU ms per camera and second",
    ]
    more = ["cameras per core", "CPU ms of the producer", "MB in all", "MB per camera"]
    print(table([*heads, *more], lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
