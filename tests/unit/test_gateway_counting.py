"""Requests are counted by the route's template, whatever path and method they come with."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket
from prometheus_client import CollectorRegistry
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from gateway.http.counting import CountedRequests
from gateway.metrics import GatewayMetrics

NAME = "framefleet_http_requests_total"


class Asked:
    """An application with one route of each kind, and what it has counted."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        metrics = GatewayMetrics(self.registry)
        app = self.app = FastAPI(middleware=[Middleware(CountedRequests, metrics=metrics)])
        app.mount("/assets", StaticFiles(directory=".", check_dir=False))

        @app.get("/api/events")
        async def events() -> Response:
            return PlainTextResponse("events")

        @app.get("/api/events/{event_id}")
        async def event(event_id: str) -> Response:
            raise RuntimeError(event_id)

        @app.post("/api/events/{event_id}")
        async def change(event_id: str) -> Response:
            return PlainTextResponse(event_id, 202)

        @app.websocket("/ws/results")
        async def socket(websocket: WebSocket) -> None:
            if websocket.query_params:
                await websocket.close(1008)
                return
            await websocket.accept()
            await websocket.close(1000)

        @app.api_route("/{path:path}", methods=["GET", "HEAD"])
        async def page(path: str) -> Response:
            return PlainTextResponse(path, 404 if path.startswith("api") else 200)

    async def ask(self, path: str, method: str = "GET", kind: str = "http", query: str = "") -> None:
        scope: dict[str, Any] = {
            "type": kind,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [],
            "http_version": "1.1",
            "scheme": "http",
            "subprotocols": [],
        }
        if kind == "http":
            scope["method"] = method

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect" if kind == "websocket" else "http.request", "body": b""}

        async def send(message: Any) -> None: ...

        await self.app(scope, receive, send)

    @property
    def counted(self) -> dict[tuple[str, str, str], float]:
        """Requests by route, method and code."""
        return {
            (sample.labels["route"], sample.labels["method"], sample.labels["code"]): sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == NAME
        }


async def test_a_route_is_counted_by_its_template() -> None:
    asked = Asked()
    await asked.ask("/api/events")
    await asked.ask("/api/events/1", "POST")
    await asked.ask("/api/events/2", "POST")
    await asked.ask("/assets/app.js")
    await asked.ask("/cameras/gate-3", "HEAD")
    with pytest.raises(RuntimeError):
        await asked.ask("/api/events/3")
    assert asked.counted == {
        ("/api/events", "GET", "200"): 1,
        ("/api/events/{event_id}", "POST", "202"): 2,
        ("/api/events/{event_id}", "GET", "500"): 1,
        ("/assets/{path}", "GET", "404"): 1,
        ("/{path}", "HEAD", "200"): 1,
    }
    labels = {"route": "/api/events/{event_id}", "method": "POST"}
    assert asked.registry.get_sample_value("framefleet_http_request_seconds_count", labels) == 2


async def test_a_websocket_is_counted_when_it_is_answered_and_not_measured() -> None:
    asked = Asked()
    await asked.ask("/ws/results", kind="websocket")
    await asked.ask("/ws/results", kind="websocket", query="no=1")
    assert asked.counted == {("/ws/results", "GET", "101"): 1, ("/ws/results", "GET", "403"): 1}
    assert (
        asked.registry.get_sample_value(
            "framefleet_http_request_seconds_count", {"route": "/ws/results", "method": "GET"}
        )
        is None
    )


async def test_paths_and_methods_without_end_make_no_series_of_their_own() -> None:
    asked = Asked()
    for number in range(10_000):
        path = (f"/api/unknown-{number}", f"/wp-{number}.php", f"/api/events/{number}/x", f"/ws/{number}")[
            number % 4
        ]
        await asked.ask(path, f"BREW{number}" if number % 3 else "GET")
    assert {(route, method) for route, method, _ in asked.counted} <= {
        (route, method) for route in ("other", "/{path}") for method in ("GET", "other")
    }
    assert sum(asked.counted.values()) == 10_000


async def test_who_goes_before_the_answer_is_not_taken_for_a_fault() -> None:
    asked = Asked()
    task = asyncio.create_task(asked.ask("/api/events"))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert asked.counted in ({}, {("/api/events", "GET", "200"): 1})
