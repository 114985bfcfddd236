"""The dashboard's production build, made again only when its sources, the documentation or its lock file change."""

from collections.abc import Iterator
from pathlib import Path

from cli.bootstrap import node
from cli.bootstrap.commands import Commands
from cli.bootstrap.stamps import Stamp, digest
from cli.layout import Layout

NOT_SOURCES = {"node_modules", "dist", "coverage", ".svelte-kit", ".vite"}
ADVICE = "npm needs a package registry: check the network, the proxy and `npm config get registry`"


def prepare(layout: Layout, commands: Commands, *, packages_too: bool = False) -> None:
    """Build dashboard/dist unless it is there and current; `packages_too` wants node_modules in any case (tests)."""
    folder = layout.dashboard
    built = Stamp(layout.run / "dashboard-built")
    sources = digest([*_sources(folder), *_documentation(layout.root)])
    current = built.matches(sources) and (folder / "dist" / "index.html").exists()
    packages = Stamp(folder / "node_modules" / ".framefleet")
    locked = digest([folder / "package.json", folder / "package-lock.json"])
    if current and (packages.matches(locked) or not packages_too):
        return
    env = node.prepare(layout, commands)
    if not packages.matches(locked):
        commands.run(
            "Installing the dashboard's packages",
            ["npm", "ci", "--no-audit", "--no-fund"],
            advice=ADVICE,
            cwd=folder,
            env=env,
        )
        packages.write(locked)
    if not current:
        commands.run(
            "Building the dashboard", ["npm", "run", "build"], advice="See dashboard/.", cwd=folder, env=env
        )
        built.write(sources)


def _sources(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in NOT_SOURCES:
            continue
        if path.is_dir():
            yield from (file for file in path.rglob("*") if file.is_file())
        else:
            yield path


def _documentation(root: Path) -> Iterator[Path]:
    """What dashboard/documents.js makes pages of."""
    for folder in (root / "docs", root / "examples"):
        yield from (file for file in folder.rglob("*") if file.suffix in (".md", ".png", ".svg"))
    yield from root.glob("*.md")
