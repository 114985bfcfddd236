"""Logs in by Digest, which proves that the password is known without sending it (RFC 7616, before it RFC 2069)."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from urllib.parse import quote

from producer.sources.http.challenges import Challenge

Hash = Callable[[str], str]

_BEST_FIRST = {"SHA-512-256": "sha512_256", "SHA-256": "sha256", "MD5": "md5"}


class Digest:
    """Answers one challenge, for as many requests as its nonce lasts."""

    def __init__(
        self, challenge: Challenge, algorithm: str, qop: str | None, user: str, password: str
    ) -> None:
        self._fields = challenge.fields
        self._algorithm = algorithm
        self._qop = qop
        self._hash = _hash(algorithm)
        self._user = user
        self._password = password
        self._count = 0

    @property
    def stale(self) -> bool:
        """True if only the nonce was too old, and the login itself was right."""
        return self._fields.get("stale", "").lower() == "true"

    def answer(self, method: str, uri: str) -> str:
        """The Authorization header of the next request."""
        self._count += 1
        digest, fields = self._hash, self._fields
        realm, nonce = fields.get("realm", ""), fields["nonce"]
        count, cnonce = f"{self._count:08x}", secrets.token_hex(8)
        secret = digest(f"{self._user}:{realm}:{self._password}")
        if self._algorithm.upper().endswith("-SESS"):
            secret = digest(f"{secret}:{nonce}:{cnonce}")
        asked = f"{method}:{uri}"
        if self._qop == "auth-int":
            asked += f":{digest('')}"  # our requests have no body
        if self._qop is None:
            response = digest(f"{secret}:{nonce}:{digest(asked)}")
        else:
            response = digest(f"{secret}:{nonce}:{count}:{cnonce}:{self._qop}:{digest(asked)}")
        said = [
            *self._name(realm),
            f"realm={_quoted(realm)}",
            f"nonce={_quoted(nonce)}",
            f"uri={_quoted(uri)}",
            f'response="{response}"',
        ]
        if "algorithm" in fields:
            said.append(f"algorithm={self._algorithm}")
        if "opaque" in fields:
            said.append(f"opaque={_quoted(fields['opaque'])}")
        if self._qop is not None:
            said += [f"qop={self._qop}", f"nc={count}", f'cnonce="{cnonce}"']
        elif self._algorithm.upper().endswith("-SESS"):
            said.append(f'cnonce="{cnonce}"')
        return "Digest " + ", ".join(said)

    def _name(self, realm: str) -> list[str]:
        if self._fields.get("userhash", "").lower() == "true":
            return [f'username="{self._hash(f"{self._user}:{realm}")}"', "userhash=true"]
        if not self._user.isascii() and self._fields.get("charset", "").lower() == "utf-8":
            return [f"username*=UTF-8''{quote(self._user, safe='')}"]
        return [f"username={_quoted(self._user)}"]


def strongest(offers: Sequence[Challenge], user: str, password: str) -> Digest | None:
    """The Digest that answers the best of these challenges; None if none of them is known."""
    known = []
    for offer in offers:
        algorithm = offer.fields.get("algorithm", "MD5")
        name = algorithm.upper().removesuffix("-SESS")
        qops = [word.strip().lower() for word in offer.fields.get("qop", "").split(",") if word.strip()]
        qop = next((each for each in ("auth", "auth-int") if each in qops), None)
        if "nonce" not in offer.fields or name not in _available() or (qops and qop is None):
            continue
        known.append((list(_BEST_FIRST).index(name), Digest(offer, algorithm, qop, user, password)))
    return min(known, key=lambda each: each[0])[1] if known else None


def _available() -> set[str]:
    # SHA-512/256 comes from OpenSSL: Python has it only where OpenSSL was built with it.
    return {name for name, ours in _BEST_FIRST.items() if ours in hashlib.algorithms_available}


def _hash(algorithm: str) -> Hash:
    name = _BEST_FIRST[algorithm.upper().removesuffix("-SESS")]
    return lambda text: hashlib.new(
        name, text.encode("utf-8", "surrogateescape"), usedforsecurity=False
    ).hexdigest()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
