"""Pages lead somewhere: every link, anchor and test, every `make` target, module and folder that they name."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from gateway.settings import GatewaySettings
from producer.settings import ProducerSettings
from worker.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT)
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md"))
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
CODE = re.compile(r"^```\w*\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
NAMED_TEST = re.compile(r"\[`(test_\w+)`\]\(([^)#\s]+)\)")
MODULE = re.compile(r"`([\w./-]+\.(?:py|svelte|ts))`")
FOLDERS = (
    *("contract", "broker", "runtime", "producer", "worker", "gateway", "cli", "bench", "tests", "deploy"),
    *("examples", "dashboard/src", "dashboard/tests"),
)
# What CONTRIBUTING.md shows how to add.
EXAMPLES = {
    "producer/sources/ndi.py",
    "worker/detection/retina.py",
    "JobsPage.svelte",
}
# Pages that tell what was, with the commands of then.
TOLD = {"CHANGELOG.md"}
# On purpose: pages show what a service says of them.
MISSPELT = {"PRODUCER_FSP", "WORKER_LANES"}


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = FENCED.sub("", page.read_text())
    found: set[str] = set()
    for heading in HEADING.findall(text):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        anchor = re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-")
        found.add(anchor if anchor not in found else f"{anchor}-1")
    return found


def commands(page: Path) -> str:
    """What stands in code on a page."""
    return "\n".join(block or inline for block, inline in CODE.findall((ROOT / page).read_text()))


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = FENCED.sub("", (ROOT / page).read_text())
    broken = []
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = ROOT / page.parent / path if path else ROOT / page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_test_that_is_named_is_in_its_file(page: Path) -> None:
    named = NAMED_TEST.findall((ROOT / page).read_text())
    missing = [
        (name, file) for name, file in named if f"def {name}(" not in (ROOT / page.parent / file).read_text()
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_make_target_and_module_is_there(page: Path) -> None:
    if page.name in TOLD:
        return
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    code = commands(page)
    assert set(re.findall(r"\bmake ((?!-)[a-z][a-z0-9-]*)", code)) <= targets
    modules = re.findall(r"python3? -m ((?:bench|cli|gateway|producer|tests|worker)[\w.]*)", code)
    assert [module for module in modules if find_spec(module) is None] == []


def test_every_module_that_a_page_names_is_there() -> None:
    """A page names it from the root, or by the end of its path where a section is about one folder."""
    paths = [
        path.relative_to(ROOT).parts
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.*")
        if path.suffix in (".py", ".svelte", ".ts")
    ]
    known = {"/".join(parts[start:]) for parts in paths for start in range(len(parts))}
    named = {
        (str(page), module)
        for page in PAGES
        if page.parent == Path("docs") or page.name == "CONTRIBUTING.md"
        for module in MODULE.findall((ROOT / page).read_text())
    }
    assert {(page, module) for page, module in named if module not in known | EXAMPLES} == set()


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_commands_can_be_pasted_from_a_checkout(page: Path) -> None:
    """They name the programs of .venv, which no shell knows of itself, or the block says where to look for them."""
    for block in re.findall(r"^```sh\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL):
        if ".venv/bin:$PATH" not in block:
            bare = re.findall(r"^(?:[A-Z_]+=\S* )*(framefleet|python|pytest|pip)\b.*", block, re.MULTILINE)
            assert bare == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_setting_is_there(page: Path) -> None:
    services: dict[str, type[BaseSettings]] = {
        "GATEWAY": GatewaySettings,
        "PRODUCER": ProducerSettings,
        "WORKER": WorkerSettings,
    }
    known = {
        f"{service}_{name.upper()}" for service, model in services.items() for name in model.model_fields
    }
    known |= set(re.findall(r"[A-Z][A-Z_]+", (ROOT / ".env.example").read_text()))
    named = set(re.findall(r"\b(?:GATEWAY|PRODUCER|WORKER)_[A-Z0-9_]+\b", (ROOT / page).read_text()))
    assert page.name in TOLD or named - known - MISSPELT == set()


def test_every_page_is_reached_from_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text()
    linked = {target.partition("#")[0] for target in LINK.findall(index)}
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert pages - linked == set()


def test_every_example_is_named_in_the_examples_page() -> None:
    page = (ROOT / "examples" / "README.md").read_text()
    files = {
        str(path.relative_to(ROOT / "examples")) for path in (ROOT / "examples").rglob("*") if path.is_file()
    }
    assert {file for file in files if f"({file})" not in page} == {"README.md"}
