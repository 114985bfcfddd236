"""The address of a Redis as operators write it (REDIS_URL), checked before anybody connects. No client is imported.

A settings class takes it in one line:

    redis_url: RedisUrl = Field(SecretStr(""), validation_alias="REDIS_URL", description=...)

and `runtime.redis` makes clients of it.
"""

from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import AfterValidator, SecretStr
from pydantic_core import PydanticCustomError

from runtime.urls import HOW, flaw

SCHEMES = ("redis", "rediss", "unix")
EXAMPLES = "redis://:password@host:6379/0, rediss://… with TLS, or unix:///run/redis/redis.sock"
TLS = {"ssl_ca_certs": "a file", "ssl_certfile": "a file", "ssl_keyfile": "a file", "ssl_cert_reqs": "none"}
"""What may follow the `?` of rediss://; the client would take any other word for an argument and fail much later."""


def _checked(secret: SecretStr) -> SecretStr:
    url = secret.get_secret_value()
    said = _wrong(url) if url else None
    if said:
        raise PydanticCustomError("redis", "{said}", {"said": said})
    return secret


RedisUrl = Annotated[SecretStr, AfterValidator(_checked)]
"""A setting's type: empty, or an address that a client can be made of. Its message never quotes the address."""


def place(url: str) -> str:
    """Say where a Redis is, for logs and messages: host and port or socket, without user name and password."""
    parts = urlsplit(url)
    return parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"


def _wrong(url: str) -> str | None:
    """Say what is wrong with an address; None if nothing is."""
    said = flaw(url)
    parts = urlsplit("" if said else url)
    if said or parts.scheme not in SCHEMES:
        return f"the address must look like {EXAMPLES} ({said or HOW})"
    if parts.scheme == "unix":
        return (
            None if parts.path.strip("/") and not parts.netloc else f"the address must look like {EXAMPLES}"
        )
    number = parts.path.strip("/")
    if not parts.hostname:
        return f"the address names no host: it must look like {EXAMPLES}"
    if number and not number.isdecimal():
        return "what follows the host is the number of a database, such as /0"
    return _wrong_words(parts)


def _wrong_words(parts: SplitResult) -> str | None:
    """Say what is wrong behind the `?`; None if nothing is."""
    words = parse_qsl(parts.query, keep_blank_values=True)
    if parts.scheme == "redis" and words:
        return "what follows the ? is about TLS: the address begins with rediss:// then"
    if any(name not in TLS for name, _ in words):
        return f"after the ? there may be {', '.join(f'{name}={what}' for name, what in TLS.items())}"
    if any(name == "ssl_cert_reqs" and value not in ("none", "required") for name, value in words):
        return "ssl_cert_reqs is none or required"
    return None
