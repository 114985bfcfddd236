"""`framefleet cameras check --connect`: each camera's source is opened once, by the producer's own code."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

from producer.catalogue.settings import CameraSettings
from producer.errors import SourceError, Undecodable
from producer.frames import Captured, Encoded, Pixels, Skipped
from producer.inspection.inspector import Inspector
from producer.inspection.luma import readable_size
from producer.settings import ProducerSettings
from producer.sources.factory import SourceFactory

AT_ONCE = 32
"""Cameras asked at the same time: a recorder with hundreds of channels is not asked for all of them together."""
SLACK = (
    5.0  # seconds beside a camera's own `timeout`, for the connection and the first whole picture of a stream
)

Outcome = Literal["right", "credentials refused", "not found", "no picture", "odd format", "switched off"]

OUTCOMES: dict[str, Outcome] = {
    "unauthorised": "credentials refused",
    "forbidden": "credentials refused",
    "missing": "not found",
    "not_found": "not found",
    "no_files": "not found",
    "not_an_image": "odd format",
    "not_a_video": "odd format",
    "no_video": "odd format",
    "corrupt": "odd format",
    "too_large": "odd format",
    "too_many_pixels": "odd format",
    "playlist": "odd format",
    "protocol": "odd format",
}
"""By a source's reason. Whatever else goes wrong leaves the camera without a picture."""


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """What a camera answered. `words` says more; `seconds` until it did; width and height in pixels."""

    camera_id: str
    outcome: Outcome
    words: str
    seconds: float
    width: int | None = None
    height: int | None = None

    @property
    def well(self) -> bool:
        """True if the camera can be used, or is not meant to be."""
        return self.outcome in ("right", "switched off")

    def __str__(self) -> str:
        return f"{self.camera_id}: {self.outcome}{f': {self.words}' if self.words else ''}"


async def connect(
    cameras: Sequence[CameraSettings], settings: ProducerSettings, heard: Callable[[], None]
) -> list[CheckAnswer]:
    """Ask every camera for one picture, AT_ONCE together; `heard` is called as each answers."""
    factory = SourceFactory(settings)
    places = asyncio.Semaphore(AT_ONCE)

    async def one(camera: CameraSettings) -> CheckAnswer:
        async with places:
            answer = await ask(camera, factory)
        heard()
        return answer

    try:
        return list(await asyncio.gather(*(one(camera) for camera in cameras)))
    finally:
        await factory.close()


async def ask(camera: CameraSettings, factory: SourceFactory) -> CheckAnswer:
    """Open the camera's source for one picture, and look at that as a producer does."""
    if not camera.enabled:
        return CheckAnswer(camera.camera_id, "switched off", "not asked", 0.0)
    start = time.monotonic()
    limit = camera.timeout + SLACK
    left_out: list[str] = []

    def answer(outcome: Outcome, words: str, size: tuple[int, int] | None = None) -> CheckAnswer:
        width, height = size or (None, None)
        return CheckAnswer(
            camera.camera_id, outcome, words, round(time.monotonic() - start, 3), width, height
        )

    try:
        async with asyncio.timeout(limit):
            picture = await _first(camera, factory, left_out)
        if picture is None:
            return answer("no picture", "; ".join(left_out[-1:]) or "the source ended without one")
        if camera.sight is not None:
            await Inspector(camera.sight).look(picture, time.monotonic())
        size = await asyncio.to_thread(_size, picture)
    except SourceError as error:
        return answer(OUTCOMES.get(error.reason, "no picture"), str(error))
    except Undecodable as error:
        return answer("odd format", str(error))
    except TimeoutError:
        detail = f"; left out meanwhile: {left_out[-1]}" if left_out else ""
        return answer("odd format" if left_out else "no picture", f"nothing in {limit:g} s{detail}")
    except Exception as error:  # one camera's surprise must not hide what the others answer
        return answer("no picture", f"{type(error).__name__}: {error}")
    kind = picture.content_type.removeprefix("image/").upper() if isinstance(picture, Encoded) else "video"
    return answer("right", f"{kind}, {size[0]} × {size[1]}", size)


async def _first(
    camera: CameraSettings, factory: SourceFactory, left_out: list[str]
) -> Encoded | Pixels | None:
    """The source's first picture; what it leaves out before that is put into `left_out`."""
    async with aclosing(factory.source(camera).frames()) as items:
        async for item in items:
            if isinstance(item, Captured) and isinstance(item.picture, Encoded | Pixels):
                return item.picture
            if isinstance(item, Skipped) and item.reason not in ("rate", "unmodified"):
                left_out.append(item.detail or item.reason)
    return None


def _size(picture: Encoded | Pixels) -> tuple[int, int]:
    """Width and height in pixels. Raises Undecodable."""
    if isinstance(picture, Encoded):
        return readable_size(picture.data)
    height, width = picture.image.shape[:2]
    return width, height


def run_connect(cameras: Sequence[CameraSettings], settings: ProducerSettings) -> list[CheckAnswer]:
    """Ask all, and say on standard error how far it is where that is a terminal."""
    done = 0

    def heard() -> None:
        nonlocal done
        done += 1
        if sys.stderr.isatty():
            print(f"\r{done} of {len(cameras)} cameras answered", end="", file=sys.stderr, flush=True)

    answers = asyncio.run(connect(cameras, settings, heard))
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return answers


def summary(answers: Sequence[CheckAnswer]) -> str:
    """`2 right, 1 not found`."""
    counts = Counter(answer.outcome for answer in answers)
    return ", ".join(f"{number:,} {outcome}" for outcome, number in counts.most_common())
