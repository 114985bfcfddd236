"""What the gateway says of itself is true: every operation described, every example valid and accepted."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import jsonschema_rs
import pytest
import pytest_asyncio
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import Mount, Route

from contract.api.service import ProblemView
from gateway.http.strict import PASSED_ON, checked_paths
from gateway.service import Gateway
from tests.helpers.gateway import TOKEN, running_gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).resolve().parents[2]
METHODS = ("get", "head", "options", "post", "put", "patch", "delete")
# /api/login locks out whoever guesses, /api/logout ends the session.
SESSIONS = ("/api/login", "/api/logout")


class Operation(NamedTuple):
    method: str
    path: str
    said: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path}"

    def parameters(self, place: str) -> list[dict[str, Any]]:
        return [each for each in self.said.get("parameters", ()) if each["in"] == place]


class Document:
    def __init__(self, made: dict[str, Any]) -> None:
        self.made = made
        self.operations = [
            Operation(method, path, said)
            for path, item in made["paths"].items()
            for method, said in item.items()
            if method in METHODS
        ]

    def check(self, value: object, schema: dict[str, Any], where: str) -> None:
        """Fails if the value is not of the schema."""
        whole = {**schema, "components": self.made["components"]}
        faults = [error.message for error in jsonschema_rs.Draft202012Validator(whole).iter_errors(value)]
        assert not faults, f"{where}: {faults}"


def examples(content: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Every example of a media type or a parameter."""
    if "example" in content:
        yield "example", content["example"]
    for name, each in content.get("examples", {}).items():
        yield name, each["value"]
    for each in content.get("schema", {}).get("examples", ()):
        yield "of the schema", each


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(gateway: Gateway) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(
        gateway.address, headers={"Authorization": f"Bearer {TOKEN}"}
    ) as session:
        yield session


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def document(http: aiohttp.ClientSession) -> Document:
    async with http.get("/api/openapi.json") as answer:
        return Document(await answer.json())


async def test_every_operation_is_described(document: Document) -> None:
    described = {tag["name"] for tag in document.made["tags"]}
    names = [operation.said["operationId"] for operation in document.operations]
    assert len(set(names)) == len(names)
    for operation in document.operations:
        said = operation.said
        assert re.fullmatch(r"[a-z][a-z0-9_]+", said["operationId"]), operation.name
        assert said["summary"], operation.name
        assert said.get("description"), operation.name
        assert set(said["tags"]) <= described, operation.name
        for parameter in operation.parameters("query"):
            assert parameter.get("description") or parameter["schema"].get("description"), (
                f"{operation.name}: {parameter['name']}"
            )
        if operation.path.startswith("/api/"):
            assert {"401", "403", "422", "429", "504"} <= set(said["responses"]), operation.name
            assert said.get("security", True) or operation.path == "/api/login"


async def test_every_json_answer_has_a_schema_and_a_valid_example(document: Document) -> None:
    for operation in document.operations:
        if operation.path in SESSIONS:
            continue
        for status, response in operation.said["responses"].items():
            content = response.get("content", {}).get("application/json")
            if content is None:
                continue
            where = f"{operation.name} {status}"
            assert content["schema"], where
            found = list(examples(content))
            assert found, f"{where} has no example"
            for name, example in found:
                document.check(example, content["schema"], f"{where} {name}")


async def test_every_example_of_what_is_asked_is_valid_and_accepted(
    http: aiohttp.ClientSession, document: Document
) -> None:
    for operation in document.operations:
        for kind, content in operation.said.get("requestBody", {}).get("content", {}).items():
            for name, example in examples(content):
                document.check(example, content["schema"], f"{operation.name} {kind} {name}")
        asked: list[tuple[str, str]] = []
        for parameter in operation.parameters("query"):
            for name, example in examples(parameter):
                document.check(example, parameter["schema"], f"{operation.name} {parameter['name']} {name}")
                given = [
                    (parameter["name"], str(each))
                    for each in (example if isinstance(example, list) else [example])
                ]
                asked = [each for each in asked if each[0] != parameter["name"]] + given
        if operation.method == "get" and "{" not in operation.path:
            async with http.get(operation.path, params=asked) as answer:
                assert answer.status in (200, 503), (operation.name, asked, await answer.text())


async def test_strangers_and_sockets_are_told_of(document: Document) -> None:
    assert set(document.made["components"]["securitySchemes"]) == {"bearer", "basic", "cookie"}
    assert {"/ws/results", "framefleet.v1"} <= set(
        re.findall(r"/ws/\w+|framefleet\.v1", document.made["info"]["description"])
    )


async def test_the_documentation_lists_every_endpoint(document: Document) -> None:
    text = (ROOT / "docs/api.md").read_text()
    for operation in document.operations:
        name = operation.path.removeprefix("/api/prometheus/api/v1/")
        assert f"`{name}`" in text or f"{operation.method.upper()} {name}`" in text, operation.name


# --- and it holds what it says ------------------------------------------------------------------------------


async def test_head_wherever_there_is_get(http: aiohttp.ClientSession, document: Document) -> None:
    for path in [each.path for each in document.operations if each.method == "get" and "{" not in each.path]:
        async with http.get(path) as get, http.head(path) as head:
            assert head.status == get.status, path
            assert await head.read() == b""
            assert head.headers["Content-Type"] == get.headers["Content-Type"], path


async def test_other_methods_are_told_which_there_are(
    http: aiohttp.ClientSession, document: Document
) -> None:
    allowed: dict[str, set[str]] = {}
    paths = {re.sub(r"\{\w+\}", "job", each.path) for each in document.operations}
    for operation in document.operations:
        # /api/events/{event_id} is at /api/events/seen too.
        pattern = re.sub(r"\{\w+\}", "[^/]+", operation.path)
        for path in paths:
            if re.fullmatch(pattern, path):
                allowed.setdefault(path, set()).add(operation.method.upper())
    for path, methods in allowed.items():
        methods |= {"HEAD"} if "GET" in methods else set()
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} - methods:
            async with http.request(method, path) as answer:
                assert answer.status == 405, (method, path)
                if path.startswith("/api/"):
                    assert set(answer.headers["Allow"].split(", ")) == methods, (method, path)
                    assert method in (await answer.json())["error"]


async def test_no_route_is_made_anew_when_the_first_request_comes(gateway: Gateway) -> None:
    """As those of an included router are, with serializers for each error: all others would wait for it."""
    routes = gateway.app.router.routes
    assert {type(route) for route in routes} == {APIRoute, APIWebSocketRoute, Mount, Route}
    made = [route.response_fields.values() for route in routes if isinstance(route, APIRoute)]
    assert ProblemView not in {field.field_info.annotation for fields in made for field in fields}


async def test_what_is_checked_is_what_the_document_says(gateway: Gateway, document: Document) -> None:
    """Each of them reads the routes by itself."""
    said = {
        (operation.path, operation.method.upper()): {
            each["name"]: "array" in str(each["schema"]) for each in operation.parameters("query")
        }
        for operation in document.operations
        if operation.path.startswith("/api/") and PASSED_ON not in operation.said
    }
    checked = {
        (path.template, method): parameters
        for path in checked_paths(gateway.app)
        for method, parameters in path.parameters.items()
    }
    assert checked == said
    assert any(True in each.values() for each in said.values())


async def test_unknown_and_repeated_parameters_are_refused_everywhere(
    http: aiohttp.ClientSession, document: Document
) -> None:
    for operation in document.operations:
        if PASSED_ON in operation.said or not operation.path.startswith("/api/"):
            continue
        path = re.sub(r"\{\w+\}", "1", operation.path)
        async with http.request(operation.method, path, params={"no_such_thing": "1"}) as answer:
            assert answer.status == 422, operation.name
            if operation.method == "head":
                continue  # has no body
            assert "unknown parameter no_such_thing" in (await answer.json())["error"]
    async with http.get("/api/cameras?limit=1&limit=2") as answer:
        assert answer.status == 422
        assert (await answer.json())["error"] == "limit is given more than once"
    async with http.get("/api/cameras?state=live&state=offline&fields=state") as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/nope", "/api/cameras/", "/api//cameras", "/ws/", "/ws/nope"]
)
async def test_what_is_not_there_is_404_for_every_method(http: aiohttp.ClientSession, path: str) -> None:
    for method in ("GET", "POST", "DELETE", "OPTIONS"):
        async with http.request(method, path, allow_redirects=False) as answer:
            assert (answer.status, (await answer.json())["errorType"]) == (404, "not_found"), method
