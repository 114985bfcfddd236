"""A real nginx before a gateway, as docs/security.md has it."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.ports import answers, free_port
from tests.helpers.components import require
from tests.helpers.eventually import eventually
from tests.helpers.processes import ROOT

CONFIG = """\
daemon off;
worker_processes 1;
error_log {folder}/error.log;
pid {folder}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{server}
}}
"""


def documented(listen: int, gateway: int) -> str:
    """The documentation's own server, on loopback and without TLS."""
    found = re.search(r"```nginx\n(.*?)```", (ROOT / "docs" / "security.md").read_text(), re.DOTALL)
    assert found, "docs/security.md has no nginx example"
    return (
        found[1]
        .replace("listen 443 ssl;", f"listen 127.0.0.1:{listen};")
        .replace("127.0.0.1:8080", f"127.0.0.1:{gateway}")
    )


@contextmanager
def nginx(folder: Path, gateway: int, *changes: tuple[str, str], port: int = 0) -> Iterator[int]:
    """Runs it before the gateway's port, its configuration changed from the documented one; gives its own port."""
    port = port or free_port()
    server = documented(port, gateway)
    for old, new in changes:
        assert old in server, old
        server = server.replace(old, new)
    with serving(folder, server, port):
        yield port


@contextmanager
def serving(folder: Path, server: str, port: int) -> Iterator[None]:
    """Runs nginx with this `server`, which listens on the port."""
    folder.mkdir()
    (folder / "nginx.conf").write_text(CONFIG.format(folder=folder, server=server))
    process = subprocess.Popen([require("nginx"), "-p", folder, "-c", folder / "nginx.conf"])
    try:
        eventually("nginx answers", lambda: process.poll() is not None or answers(port))
        yield
    finally:
        process.terminate()
        process.wait(10)
