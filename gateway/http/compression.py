"""Static files as gzip, for clients that accept it. Answers of the API stay as they are: their length would tell of
secrets in them (BREACH), and pictures are compressed already.

A file is compressed when it is first asked for and kept in memory, so that it does not matter who built the dashboard,
or where.
"""

import gzip
import re
from functools import lru_cache
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.types import Scope

COMPRESSIBLE = frozenset({".css", ".html", ".js", ".json", ".map", ".svg", ".txt", ".webmanifest"})
LEAST, MOST = 1_000, 4_000_000
"""Bytes: below, the headers weigh more than what is saved; above, it takes too long and too much memory."""
KEPT_FILES = 64
ENTRY = re.compile(r"\s*([\w.*-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?", re.ASCII)


def accepts_gzip(header: str) -> bool:
    """Whether a client that sends this Accept-Encoding reads gzip: it must say so, `*` and `q` included."""
    qualities: dict[str, float] = {}
    for entry in header.lower().split(","):
        if found := ENTRY.fullmatch(entry):
            qualities[found[1]] = float(found[2] or 1)
    return qualities.get("gzip", qualities.get("*", 0.0)) > 0


async def compressed(response: Response, scope: Scope) -> Response:
    """The same answer as gzip, where its file becomes smaller by that and the client accepts it."""
    if not isinstance(response, FileResponse) or Path(response.path).suffix not in COMPRESSIBLE:
        return response
    response.headers.add_vary_header("Accept-Encoding")
    asked = Headers(scope=scope)
    found = response.stat_result
    if found is None or not LEAST <= found.st_size <= MOST or "range" in asked:
        return response
    if not accepts_gzip(",".join(asked.getlist("accept-encoding"))):
        return response
    body = await run_in_threadpool(_gzip, str(response.path), found.st_mtime_ns, found.st_size)
    smaller = Response(body, response.status_code, response.headers, response.media_type)
    smaller.headers["content-length"] = str(len(body))
    smaller.headers["content-encoding"] = "gzip"
    smaller.headers["etag"] = f"W/{response.headers['etag']}"  # the same content, in other bytes
    del smaller.headers["accept-ranges"]
    return smaller


@lru_cache(KEPT_FILES)
def _gzip(path: str, _modified: int, _size: int) -> bytes:
    return gzip.compress(Path(path).read_bytes(), mtime=0)
