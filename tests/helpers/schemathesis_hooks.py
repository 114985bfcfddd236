"""Checks of ours for the fuzzing, loaded by schemathesis: no answer gives anything away, and errors are sentences."""

import json
import os
from typing import Any

import schemathesis

SECRETS = [secret for secret in os.environ.get("FRAMEFLEET_FUZZ_SECRETS", "").split() if secret]
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
TRACES = ("Traceback (most recent", 'File "/', "site-packages", "sqlite3.", "psycopg.", "msgspec.")


@schemathesis.check
def no_leak(
    ctx: schemathesis.CheckContext,
    response: schemathesis.Response,
    case: schemathesis.Case[Any],
) -> None:
    """Neither the token nor the inside of the program is in an answer; what was asked may be quoted."""
    text = response.content.decode("utf-8", "replace")
    asked = f"{case.formatted_path} {case.query} {case.body!r}"
    for secret in SECRETS:
        assert secret not in text, "a secret is in the answer"
        assert secret not in str(response.headers), "a secret is in the headers"
    for trace in TRACES:
        assert trace not in text or trace in asked, f"the answer shows the program's inside: {trace}"


@schemathesis.check
def errors_are_sentences(
    ctx: schemathesis.CheckContext,
    response: schemathesis.Response,
    case: schemathesis.Case[Any],
) -> None:
    """Every error has the one shape; 405 says what is allowed, 429 and 503 when to try again."""
    status = response.status_code
    path = str(case.formatted_path)
    if status < 400 or not path.startswith("/api/") or case.method == "HEAD":
        return
    problem = json.loads(response.content)
    assert problem["status"] == "error"
    assert problem["errorType"]
    assert problem["error"]
    if status == 405:
        assert response.headers.get("allow")
    if status in (429, 503):
        assert response.headers.get("retry-after")
