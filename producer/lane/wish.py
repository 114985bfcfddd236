"""A camera's wish for a turn, standing in its slot where a frame would: the picture is fetched when it is granted."""

import asyncio
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Wish:
    """`granted` is cancelled if nobody waits for it any more. Make it inside the event loop."""

    camera_id: str
    granted: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future(), compare=False
    )

    @property
    def frame_id(self) -> str:
        """Under which it is outstanding; no frame is called so."""
        return wish_id(self.camera_id)


def wish_id(camera_id: str) -> str:
    """Of the camera's wish: it has one at a time."""
    return f"wish {camera_id}"
