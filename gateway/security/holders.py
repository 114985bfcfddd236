"""For whom a share is counted: a token and, below it, one of its sessions. Pure."""

Holders = tuple[str, ...]
"""From the top down (`Identity.holders`): a token, and a browser's session. None where authentication is off."""


def levels(holders: Holders) -> tuple[str, str]:
    """The token and the session; a program's session is its token again."""
    return (holders[0], holders[-1]) if holders else ("", "")
