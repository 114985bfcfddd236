"""Questions to a service over HTTP: is it there, is it ready?"""

import asyncio
import http.client
import json

from cli.ports import LOOPBACK


async def get(
    port: int, path: str, token: str | None = None, *, host: str = LOOPBACK
) -> tuple[int, str] | None:
    """Return status and body of a GET; None while nobody answers."""
    return await asyncio.to_thread(_get, host, port, path, token)


async def until_answers(port: int, path: str, timeout: float, *, host: str = LOOPBACK) -> bool:
    """Wait until `path` answers 200; False after `timeout` seconds."""
    deadline = asyncio.get_running_loop().time() + timeout
    while True:
        answer = await get(port, path, host=host)
        if answer is not None and answer[0] == 200:
            return True
        if asyncio.get_running_loop().time() >= deadline:
            return False
        await asyncio.sleep(0.1)


def missing(answer: tuple[int, str] | None) -> str:
    """Return what a /readyz answer names as missing, as words; empty when it is ready."""
    if answer is None:
        return "an answer"
    if answer[0] == 200:
        return ""
    try:
        lacks = json.loads(answer[1])["missing"]
        return ", ".join(map(str, lacks)) if isinstance(lacks, list) else str(lacks)
    except (ValueError, KeyError, TypeError):
        return f"status {answer[0]}"


def _get(host: str, port: int, path: str, token: str | None) -> tuple[int, str] | None:
    connection = http.client.HTTPConnection(host, port, timeout=3)
    try:
        connection.request("GET", path, headers={} if token is None else {"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        return response.status, response.read(65536).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
