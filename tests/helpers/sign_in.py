"""Ready links, asked for as `framefleet link` does."""

import json
import urllib.request


def ready_link(gateway: str, token: str, role: str = "operator") -> str:
    """A link that signs one browser in, once."""
    request = urllib.request.Request(  # noqa: S310
        f"{gateway}/api/links?role={role}", method="POST", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
        found: str = json.loads(answer.read())["link"]
    return found
