"""What is wrong with a setting, in words that say what would do. pydantic's own speak of inputs and patterns."""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

NEAR = 0.7
"""So alike two words are one of which is a slip of the other (`difflib`'s ratio): `gpu` does not mean `cpu`."""
SWITCHES = {"on": ("yes", "true", "1"), "off": ("no", "false", "0")}
NUMBERS = {
    "int": ("a whole number", "digits alone, without a unit"),
    "float": ("a number", "digits and a point, without a unit"),
}
BOUNDS = ("greater_than_equal", "greater_than", "less_than_equal", "less_than")
ALTERNATIVES = re.compile(r"\^\(([\w|]+)\)\$")
NAME = re.compile(r"\^\[A-Za-z0-9_\.-\]\{1,(\d+)\}\$")


def requirement(item: ErrorDetails, field: FieldInfo) -> str:
    """What `field` needs instead of the value that `item` complains of; the value itself is not shown."""
    kind: str = item["type"]
    context: Mapping[str, Any] = item.get("ctx", {})
    number = "int" if _whole(field) else "float"
    if kind in ("int_parsing", "float_parsing", "int_from_float"):
        what, how = NUMBERS["float" if kind == "float_parsing" else "int"]
        return f"{what}{allowed_range(field)} is needed{_default(field)}: {how}"
    if kind in BOUNDS or kind == "finite_number":
        return f"{NUMBERS[number][0]}{allowed_range(field)} is needed{_default(field)}"
    if kind in ("enum", "literal_error"):
        return _one_of(re.findall(r"'([^']*)'", str(context.get("expected", ""))), item.get("input"))
    if kind == "bool_parsing":
        return "true or false is needed"
    if kind == "string_pattern_mismatch":
        pattern = str(context.get("pattern", ""))
        if found := ALTERNATIVES.fullmatch(pattern):
            return _one_of(found[1].split("|"), item.get("input"))
        if found := NAME.fullmatch(pattern):
            return f"1 to {found[1]} letters, digits, `_`, `.` and `-` are needed"
    if kind == "string_too_long":
        return f"at most {context.get('max_length')} characters are allowed"
    return item["msg"]


def _one_of(choices: Sequence[str], given: object) -> str:
    word = str(given).lower()
    close = difflib.get_close_matches(word, choices, n=1, cutoff=NEAR) or [
        switch for switch, means in SWITCHES.items() if switch in choices and word in means
    ]
    hint = f": did you mean {close[0]}?" if close else ""
    return f"{', '.join(choices[:-1])} or {choices[-1]} is needed{hint}"


def allowed_range(field: FieldInfo) -> str:
    """` from 1 to 64`, ` above 0`, and the like; empty for a field without bounds."""
    bounds = {
        name: _digits(getattr(each, name))
        for each in field.metadata
        for name in ("ge", "gt", "le")
        if getattr(each, name, None) is not None
    }
    low = f" from {bounds['ge']}" if "ge" in bounds else f" above {bounds['gt']}" if "gt" in bounds else ""
    high = bounds.get("le")
    if high is None:
        return low.replace(" from ", " of at least ")
    return f"{low} to {high}" if "ge" in bounds else f"{low} and up to {high}"


def _default(field: FieldInfo) -> str:
    default = None if field.default_factory is not None else field.get_default()
    return "" if default is None or field.is_required() else f" (by default {_digits(default)})"


def _digits(value: float) -> str:
    """As it can be pasted: without separators, and 2 for 2.0."""
    return str(int(value)) if value == int(value) else str(value)


def _whole(field: FieldInfo) -> bool:
    return "int" in str(field.annotation)
