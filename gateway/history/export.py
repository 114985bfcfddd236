"""Rows as CSV or NDJSON, a chunk at a time: memory stays the same whatever the number of rows."""

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from runtime.cells import cell
from runtime.logs import get_logger

log = get_logger("history")

Format = Literal["csv", "ndjson"]
Record = Mapping[str, Any]
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}
STALLED_SECONDS = 60.0


def as_csv(columns: Iterable[str], records: Iterable[Record]) -> bytes:
    """Lines without a head (RFC 4180)."""
    text = io.StringIO()
    writer = csv.writer(text)
    columns = list(columns)
    writer.writerows([cell(_flat(record[column])) for column in columns] for record in records)
    return text.getvalue().encode()


def _flat(value: Any) -> Any:
    """What has parts, as JSON."""
    return msgspec.json.encode(value).decode() if isinstance(value, dict) else value


def as_ndjson(records: Iterable[Record]) -> bytes:
    """A JSON object per line."""
    return b"".join(msgspec.json.encode(record) + b"\n" for record in records)


async def encoded(
    form: Format, columns: Iterable[str], chunks: AsyncGenerator[list[Record], None]
) -> AsyncGenerator[bytes, None]:
    """The file, piece by piece; of CSV the first line names the columns."""
    columns = list(columns)
    if form == "csv":
        yield as_csv(columns, [dict(zip(columns, columns, strict=True))])
    async for records in chunks:
        yield as_csv(columns, records) if form == "csv" else as_ndjson(records)


class Export(StreamingResponse):
    """A file for download. `ended` is called whatever becomes of it; who does not read for a minute is left."""

    def __init__(
        self, content: AsyncGenerator[bytes, None], name: str, form: Format, ended: Callable[[], None]
    ) -> None:
        super().__init__(
            content,
            media_type=MEDIA_TYPES[form],
            headers={
                "Content-Disposition": f'attachment; filename="{name}.{form}"',
                "Cache-Control": "no-store",
            },
        )
        self._content = content
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def patiently(message: Message) -> None:
            async with asyncio.timeout(STALLED_SECONDS):
                await send(message)

        try:
            await super().__call__(scope, receive, patiently)
        except (HTTPException, TimeoutError) as error:
            # The connection is closed without a proper end: the client sees that something is missing.
            log.warning(
                "an export broke off", reason=str(getattr(error, "detail", "the client does not read"))
            )
        finally:
            await self._content.aclose()
            self._ended()
