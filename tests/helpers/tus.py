"""A client of the gateway's jobs and of its uploads (tus 1.0), as small as can be."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from tests.helpers.eventually import eventually_async

VERSION = {"Tus-Resumable": "1.0.0"}
PIECES = {"Content-Type": "application/offset+octet-stream"}
OVER = ("done", "cancelled", "failed", "lost")


class JobsClient:
    """Asks a gateway as somebody with a token."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.http = session

    async def create(self, **said: Any) -> str:
        async with self.http.post("/api/jobs", json={"name": "test", **said}) as answer:
            assert answer.status == 201, await answer.text()
            return str((await answer.json())["job_id"])

    async def job(self, job_id: str) -> dict[str, Any]:
        async with self.http.get(f"/api/jobs/{job_id}") as answer:
            assert answer.status == 200, await answer.text()
            job: dict[str, Any] = await answer.json()
            return job

    async def act(self, job_id: str, deed: str) -> int:
        async with self.http.post(f"/api/jobs/{job_id}/{deed}") as answer:
            return answer.status

    async def items(self, job_id: str, **asked: Any) -> list[dict[str, Any]]:
        async with self.http.get(f"/api/jobs/{job_id}/items", params={"limit": 500, **asked}) as answer:
            assert answer.status == 200, await answer.text()
            return list((await answer.json())["items"])

    async def begin(self, job_id: str, name: str, size: int) -> str:
        """Begin an upload; returns its address."""
        encoded = base64.b64encode(name.encode()).decode()
        headers = {**VERSION, "Upload-Length": str(size), "Upload-Metadata": f"filename {encoded}"}
        async with self.http.post(f"/api/jobs/{job_id}/uploads", headers=headers) as answer:
            assert answer.status == 201, await answer.text()
            return answer.headers["Location"]

    async def offset(self, place: str) -> int:
        async with self.http.head(place, headers=VERSION) as answer:
            assert answer.status == 200
            return int(answer.headers["Upload-Offset"])

    async def write(self, place: str, at: int, data: bytes | AsyncIterator[bytes]) -> tuple[int, str]:
        headers = {**VERSION, **PIECES, "Upload-Offset": str(at)}
        body = io.BytesIO(data) if isinstance(data, bytes) else data
        async with self.http.patch(place, data=body, headers=headers) as answer:
            return answer.status, await answer.text()

    async def upload(self, job_id: str, name: str, data: bytes) -> str:
        """Upload a file as a whole."""
        place = await self.begin(job_id, name, len(data))
        status, said = await self.write(place, 0, data)
        assert status == 204, said
        return place

    async def ended(self, job_id: str, seconds: float = 60.0) -> dict[str, Any]:
        """Wait until the job is over; returns it."""
        job: dict[str, Any] = {}

        async def over() -> bool:
            job.update(await self.job(job_id))
            return bool(job["state"] in OVER)

        await eventually_async(f"the job is over: {job}", over, seconds)
        return job


async def throttled(data: bytes, pieces: int, pause: float) -> AsyncIterator[bytes]:
    """The data in so many pieces, with pauses between them."""
    size = -(-len(data) // pieces)
    for start in range(0, len(data), size):
        yield data[start : start + size]
        await asyncio.sleep(pause)
