"""The credentials in a request's headers. Pure; whatever a header holds, nothing is raised."""

import base64
import binascii


def token_of(authorization: str) -> str | None:
    """The token in an Authorization header: Bearer, or the password of Basic. None if the header is empty."""
    scheme, _, value = authorization.strip().partition(" ")
    if not scheme:
        return None
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return ""
    return ""


def cookie_of(header: str, name: str) -> str:
    """The cookie `name` in a Cookie header, or an empty string. What else is in the header does not matter."""
    for part in header.split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value.strip().strip('"')
    return ""
