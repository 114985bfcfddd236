"""A check, before anything is installed, that this user can write the checkout."""

import os
import pwd
import shlex
from collections.abc import Iterator
from pathlib import Path

from cli.errors import NotPrepared
from cli.layout import Layout


def check_checkout(layout: Layout) -> None:
    """Raise NotPrepared if it cannot."""
    if os.pathsep in str(layout.root):
        raise NotPrepared(
            f"The checkout's path has a colon ({layout.root}), which separates folders in PATH: no virtual environment "
            "can be made there. Rename the folder, or clone into another one."
        )
    for path in _made(layout):
        if path.is_symlink() and not os.path.exists(path):
            raise NotPrepared(
                f"{path} is a link to nothing: remove it (rm {shlex.quote(str(path))}), then start again."
            )
        if os.path.exists(path) and not path.is_dir():
            raise NotPrepared(f"{path} is not a folder: move it away, then start again.")
        if os.path.exists(path) and not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            raise not_writable(path, layout)


def not_writable(path: Path, layout: Layout) -> NotPrepared:
    """Return why this user cannot write `path`, and what to do."""
    there = next(each for each in (path, *path.parents) if os.path.exists(each))
    if os.statvfs(there).f_flag & os.ST_RDONLY:
        return NotPrepared(
            f"{there} is on a file system that is read-only. Framefleet writes into its checkout (.venv, .run, "
            "dashboard/dist): mount it writable, or copy the checkout to where this user may write."
        )
    owner = there.stat().st_uid
    if owner == os.geteuid():
        return NotPrepared(
            f"{there} may not be written, though it is this user's: chmod -R u+rwX {shlex.quote(str(there))}"
        )
    ours = [layout.venv, layout.run, layout.dashboard]
    which = [each for each in ours if os.path.exists(each)] if there != layout.root else [layout.root]
    return NotPrepared(
        f"{there} belongs to {_name(owner)}, and this user ({_name(os.geteuid())}) may not write it: was Framefleet "
        f"started as {_name(owner)} here before?\n"
        f"To hand it over: sudo chown -R {os.geteuid()} {' '.join(shlex.quote(str(each)) for each in which)}"
    )


def _made(layout: Layout) -> Iterator[Path]:
    """Yield the places in the checkout where something is made, from the outside in."""
    if not (os.path.lexists(layout.venv) and os.path.lexists(layout.run)):
        yield layout.root
    yield layout.venv
    yield layout.venv / "bin"
    if os.access(layout.venv, os.R_OK | os.X_OK):
        yield from (layout.venv / "lib").glob("python3.*/site-packages")
    yield layout.run
    yield layout.logs
    yield layout.gateway
    yield layout.dashboard
    yield layout.dashboard / "dist"
    yield layout.dashboard / "node_modules"


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
