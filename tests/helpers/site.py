"""A web site whose pages a test writes, each as bytes or as what answers; it counts who asks, and may want a login."""

import base64
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """`pages` by path; what is not among them is looked for in `folder`. `login`: `user:password`, if one is wanted."""

    def __init__(self, folder: Path, login: str = "") -> None:
        self.pages: dict[str, bytes | Answer] = {}
        self.asked: list[str] = []
        self.authorizations: list[str] = []
        self.port = 0
        self._folder = folder.resolve()
        self._login = f"Basic {base64.b64encode(login.encode()).decode()}" if login else ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        given = request.headers.get("Authorization", "")
        if given:
            self.authorizations.append(given)
        if self._login and given != self._login:
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="camera"'})
        page = self.pages.get(request.path)
        if isinstance(page, bytes):
            return web.Response(body=page)
        if page is not None:
            return await page(request)
        file = self._folder / request.path.lstrip("/")
        if not file.resolve().is_relative_to(self._folder) or not file.is_file():
            return web.Response(status=404)
        return web.FileResponse(file)


def leads_to(address: str) -> Answer:
    """A redirect."""

    async def answer(request: web.Request) -> web.StreamResponse:
        del request
        return web.Response(status=302, headers={"Location": address})

    return answer


@contextlib.asynccontextmanager
async def site(folder: Path, login: str = "") -> AsyncIterator[Site]:
    """The running site."""
    served = Site(folder, login)
    app = web.Application()
    app.router.add_get("/{path:.*}", served.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        served.port = runner.addresses[0][1]
        yield served
    finally:
        await runner.cleanup()
