"""What a source gives: its first frames, or the error that it ends with."""

from contextlib import aclosing

import pytest

from producer.errors import SourceError
from producer.frames import Captured
from producer.sources.stream import Stream


async def first(source: Stream, count: int = 1) -> list[Captured]:
    """Its first frames; fewer if it comes to its end."""
    seen: list[Captured] = []
    async with aclosing(source.frames()) as items:
        async for item in items:
            if isinstance(item, Captured):
                seen.append(item)
                if len(seen) == count:
                    break
    return seen


async def failing(source: Stream) -> SourceError:
    """The error that it ends with."""
    with pytest.raises(SourceError) as raised:
        await first(source, 1_000)
    return raised.value
