"""The demand: so many cameras, so many pictures a second of each."""

import argparse
import re
from dataclasses import dataclass

from cli.errors import InvalidOption
from contract.task import MAX_BODY_BYTES, TaskForm

BYTES_PER_PIXEL = 40_000 / (640 * 480)
"""The weight of a surveillance camera's JPEG, where the operator does not say how large it is."""
FIELDS_BYTES = 150
"""The bytes of a task beside its picture: names, times."""


@dataclass(frozen=True)
class Demand:
    """`size` is width and height in pixels, `picture_bytes` those of a JPEG, `skipped` the share (0-1) of pictures
    that the motion gate keeps back; 0 means that there is no gate."""

    cameras: int
    fps: float
    size: tuple[int, int]
    picture_bytes: int
    form: TaskForm
    model: str
    skipped: float

    @property
    def pictures(self) -> float:
        """Pictures taken a second, all cameras together."""
        return self.cameras * self.fps

    @property
    def frames(self) -> float:
        """Pictures sent and analysed a second."""
        return self.pictures * (1 - self.skipped)

    @property
    def body_bytes(self) -> int:
        """The size of a task as it travels: base64 makes four bytes of three."""
        base64 = self.form is TaskForm.BASE64
        return (-(-self.picture_bytes // 3) * 4 if base64 else self.picture_bytes) + FIELDS_BYTES


def demand_of(arguments: argparse.Namespace) -> Demand:
    """Read the demand from the command line. Raises InvalidOption."""
    width, height = size_of(arguments.size)
    demand = Demand(
        cameras=arguments.cameras,
        fps=arguments.fps,
        size=(width, height),
        picture_bytes=arguments.bytes or round(width * height * BYTES_PER_PIXEL),
        form=TaskForm(arguments.form),
        model=arguments.model,
        skipped=arguments.motion,
    )
    if not 1 <= demand.cameras <= 1_000_000:
        raise InvalidOption(f"--cameras {demand.cameras}: a number from 1 to 1,000,000 is needed")
    if not 0 < demand.fps <= 1000:
        raise InvalidOption(f"--fps {demand.fps:g}: pictures a second of each camera, above 0 and up to 1000")
    if not 0 <= demand.skipped < 1:
        raise InvalidOption(f"--motion {demand.skipped:g}: the share that is skipped, from 0 to below 1: 0.6")
    if demand.picture_bytes < 1000:
        raise InvalidOption(f"--bytes {demand.picture_bytes}: a JPEG has at least 1000")
    if demand.body_bytes > MAX_BODY_BYTES:
        raise InvalidOption(
            f"a task of {demand.body_bytes:,} bytes is larger than the broker takes ({MAX_BODY_BYTES:,}): the "
            "producer would send a smaller JPEG; give the --bytes of that one"
        )
    return demand


def size_of(text: str) -> tuple[int, int]:
    """Read `640x480` as width and height. Raises InvalidOption."""
    found = re.fullmatch(r"([0-9]{2,5})x([0-9]{2,5})", text.strip())
    if found is None:
        raise InvalidOption(f"--size {text}: width and height of a picture in pixels are needed, as 640x480")
    return int(found[1]), int(found[2])
