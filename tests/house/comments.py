"""Comments that break a statement in two, as ruff leaves them at the end of what was too long for a line. Pure."""

import io
import re
import tokenize
from collections.abc import Iterator

CLOSING = frozenset(")]}")
LAYOUT = (tokenize.INDENT, tokenize.DEDENT, tokenize.NL, tokenize.NEWLINE)
# Comments for tools have to stand where they stand.
FOR_TOOLS = ("# fmt:", "# noqa", "# type:", "# pragma:")
# Most files have no such line, and taking a file apart is slow. A string over several lines may end before the bracket.
SUSPECT = re.compile(r"""^(?:.*["'])?\s*[)\]}].*#""", re.MULTILINE)


def breaking(source: str) -> Iterator[int]:
    """The lines that begin with a closing bracket and end with a comment: it belongs above the statement."""
    if not SUSPECT.search(source):
        return
    first: tokenize.TokenInfo | None = None
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in LAYOUT:
            continue
        if first is None or first.end[0] != token.start[0]:
            first = token
        if (
            token.type == tokenize.COMMENT
            and first.string in CLOSING
            and not token.string.startswith(FOR_TOOLS)
        ):
            yield token.start[0]
