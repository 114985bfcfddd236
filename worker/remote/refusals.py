"""What an answer other than 200 means, by the words of OpenAI, llama.cpp, vLLM and Ollama. Pure.

docs/remote.md has them in a table. Whatever nobody knows is judged by its status.
"""

import re

import msgspec

from worker.remote.backoff import retry_after
from worker.remote.errors import (
    CallFailed,
    EndpointRefuses,
    Passing,
    PictureRefused,
    Throttled,
    TooManyPictures,
)

REFUSAL_LENGTH = 200
UNKNOWN = (
    "knows no such address or model: see WORKER_REMOTE_URL (it ends in /v1 as a rule) and WORKER_REMOTE_MODEL"
)
DENIED = {
    401: "does not take the key: see WORKER_REMOTE_KEY_FILE",
    402: "wants to be paid: see the account",
    403: "does not allow this key what is asked of it: see the account's rights and regions",
    404: UNKNOWN,
    405: "takes no chat completions: see WORKER_REMOTE_URL (it ends in /v1 as a rule)",
}
REPEATABLE = frozenset((408, 409, 425))
"""Of 4xx, beside 429: it was the moment, not the request."""
QUOTA = ("insufficient_quota", "billing_hard_limit", "account_deactivated")
BLIND = re.compile(
    r"image input is not supported|missing data required for image input|not a multimodal model|at most 0 image"
    r"|does not support (images|image input|vision)|support image input"
)
"""A model without eyes."""
MOST = re.compile(r"at most (\d{1,3}) image")
NO_MODEL = re.compile(r"\bmodel\b.*\b(not found|does not exist)")
BUSY = re.compile(r"server busy|maximum pending requests")
LOADING = re.compile(r"loading model")
LONG = re.compile(r"context (size|length|window)|maximum model length")


def refusal(status: int, after: str | None, body: bytes) -> CallFailed:
    """What it means; `after` is its Retry-After."""
    code, said = _told(body)
    words = f" ({said})" if said else ""
    if code in QUOTA:
        return EndpointRefuses(f"the endpoint says that the account has nothing left{words}")
    if status == 429:
        return Throttled(f"the endpoint asks for fewer calls (429){words}", retry_after(after))
    if 300 <= status < 400:
        return EndpointRefuses(
            f"the endpoint leads elsewhere ({status}): write that address into WORKER_REMOTE_URL"
        )
    return (
        _known(status, said.lower(), words, retry_after(after))
        or _by_status(status, words, retry_after(after))
    )  # fmt: skip


def _known(status: int, said: str, words: str, seconds: float | None) -> CallFailed | None:
    """By its words, whatever the status: servers do not agree on those."""
    if BLIND.search(said):
        return EndpointRefuses(
            f"the model takes no pictures: name one that does in WORKER_REMOTE_MODEL, or start llama-server with its "
            f"--mmproj ({status}){words}"
        )
    if (most := MOST.search(said)) is not None:
        return TooManyPictures(
            f"the endpoint takes {most[1]} pictures in one request: see WORKER_REMOTE_IMAGES ({status}){words}",
            int(most[1]),
        )
    if LONG.search(said):
        return PictureRefused(
            "the request is longer than the model's context: make WORKER_REMOTE_MAX_SIDE or WORKER_REMOTE_MAX_TOKENS "
            f"smaller, or give the model more at its server ({status}){words}"
        )
    if BUSY.search(said):
        return Throttled(f"the endpoint is busy ({status}){words}", seconds)
    if LOADING.search(said):
        return EndpointRefuses(
            f"the endpoint still loads its model ({status}): it is asked again in a minute{words}"
        )
    if 400 <= status < 500 and NO_MODEL.search(said):
        return EndpointRefuses(f"the endpoint {UNKNOWN} ({status}){words}")
    return None


def _by_status(status: int, words: str, seconds: float | None) -> CallFailed:
    if status in DENIED:
        return EndpointRefuses(f"the endpoint {DENIED[status]} ({status}){words}")
    if status >= 500 or status in REPEATABLE:
        return Passing(f"the endpoint failed ({status}){words}", free=True, after=seconds)
    return PictureRefused(f"the endpoint does not take this ({status}){words}")


def _told(body: bytes) -> tuple[str, str]:
    """The code and the words of an error: OpenAI's object, a sentence alone, or the flat one of older vLLMs."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "", ""
    if not isinstance(answer, dict):
        return "", ""
    error = answer.get("error", answer if answer.get("object") == "error" else None)
    if isinstance(error, str):
        return "", _plain(error)
    if not isinstance(error, dict):
        return "", ""
    code = error.get("code")
    return (code if isinstance(code, str) else ""), _plain(str(error.get("message") or ""))


def _plain(text: str) -> str:
    """Words of a stranger, for a log: short, printable, and without what may be a key."""
    words = (each if len(each) < 40 and not each.startswith("sk-") else "…" for each in text.split())
    return "".join(each if each.isprintable() else " " for each in " ".join(words))[:REFUSAL_LENGTH]
