"""Reading a source as the producer does, for as many items as a test wants."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from producer.errors import SourceError
from producer.frames import Captured, Due, Skipped, Source


async def granted(source: Source) -> AsyncGenerator[Captured | Skipped]:
    """What the source yields while it is always its turn."""
    async with aclosing(source.frames()) as items:
        async for item in items:
            if not isinstance(item, Due):
                yield item


async def read(source: Source, count: int) -> list[Captured | Skipped]:
    """The next `count` items; the source is closed then."""
    frames = granted(source)
    seen = [await anext(frames) for _ in range(count)]
    await frames.aclose()
    return seen


def data(item: Captured | Skipped) -> bytes:
    """The bytes of a captured picture."""
    assert isinstance(item, Captured)
    return item.picture.encoded(50).data


async def failure(source: Source) -> SourceError:
    """What the source raises instead of a first item."""
    with pytest.raises(SourceError) as raised:
        await read(source, 1)
    return raised.value
