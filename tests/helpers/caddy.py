"""A real Caddy before a gateway, as the documentation has it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.ports import answers
from tests.helpers.components import require
from tests.helpers.eventually import eventually

OPTIONS = "{\n    admin off\n    auto_https disable_redirects\n    skip_install_trust\n}\n"


@contextmanager
def serving(folder: Path, site: str, port: int) -> Iterator[None]:
    """Runs Caddy with this site, which listens on the port; what it keeps is in `folder`."""
    folder.mkdir()
    (folder / "Caddyfile").write_text(OPTIONS + site)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [require("caddy"), "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"],
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
            stdout=log,
            stderr=log,
        )
    try:
        eventually("Caddy answers", lambda: process.poll() is not None or answers(port))
        yield
    finally:
        process.terminate()
        process.wait(10)
