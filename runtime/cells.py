"""One rule for the cells of every CSV file that we write: no spreadsheet computes what somebody else has written.

What begins like a formula gets an apostrophe, as OWASP advises, and is a text then. "Begins" is meant as a spreadsheet
may read it: after spaces, quotes and what cannot be seen, and in full-width characters too. Numbers stay numbers. A
cell is one line of characters that can be seen; the exact text is in the NDJSON of the same export.
https://owasp.org/www-community/attacks/CSV_Injection
"""

import unicodedata
from typing import Any

FORMULA = frozenset("=+-@|%")
MINUS = "\N{MINUS SIGN}"
APOSTROPHE = "'"
QUOTES = frozenset("\"'`\u2018\u2019\u201c\u201d")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
UNSEEN = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp"))
"""Unicode's categories of control and format characters, spaces and line separators."""
UNPRINTABLE = frozenset(("Cc", "Cs", "Zl", "Zp"))


def cell(value: Any) -> Any:
    """A value as a cell for `csv.writer`, which adds the quotes that CSV itself needs."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return value
    if value.isprintable() and value[:1].isalnum():
        return value  # nearly all of them, and an export may have millions
    text = "".join(REPLACEMENT if unicodedata.category(each) in UNPRINTABLE else each for each in value)
    return f"{APOSTROPHE}{text}" if begins_like_formula(value) else text


def begins_like_formula(text: str) -> bool:
    """Whether some spreadsheet might compute this text."""
    for each in text:
        if unicodedata.category(each) in UNSEEN or each in QUOTES:
            continue
        return each == MINUS or unicodedata.normalize("NFKC", each)[0] in FORMULA
    return False
