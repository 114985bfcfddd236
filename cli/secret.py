"""Files that only their owner may read: the token, and the endpoints that carry it."""

import os
from collections.abc import Mapping
from pathlib import Path

from gateway.tokens.strength import random_token


def write_private(file: Path, text: str) -> None:
    """Write `text` with mode 0600 from its first byte on, replacing the file as a whole."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    fresh.replace(file)


def token(folder: Path, environment: Mapping[str, str]) -> str:
    """The gateway's token: GATEWAY_TOKEN if set, else the one made at the first start and kept in `folder`."""
    if given := environment.get("GATEWAY_TOKEN", "").strip():
        return given
    file = folder / "token"
    kept = file.read_text().strip() if file.exists() else ""
    if not kept:
        kept = random_token()
        write_private(file, kept + "\n")
    return kept
