"""Reads one group of keys as a layer: the defaults, a group or a camera.

Pydantic checks the values (see `keys`); what it finds wrong is told here by its line, and in our own words.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from contract.topology import Lane
from producer.catalogue.file.keys import KNOWN, OWN
from producer.catalogue.file.tree import ListNode, Node, ScalarNode, TableNode
from producer.redaction import shown

SUGGESTED_FROM = 200  # known words; among more of them looking for a similar one takes too long


@dataclass(frozen=True, slots=True, eq=False)
class BadKey:
    """Stands where a value would: the key is there, and cannot be used. Two of them are never the same."""

    line: int
    text: str


Layer = dict[str, Any]
"""Values, or BadKeys, by key. Layers are laid over each other as they are: a bad key that is replaced hurts nobody."""


def read_layer(table: TableNode, keys: TypeAdapter[Any]) -> Layer:
    """Every key of `table` with its value or as a BadKey. A key that is there twice has no value: which was meant?"""
    nodes: dict[str, Node] = {}
    lines: dict[str, int] = {}
    bad: dict[str, BadKey] = {}
    for key_node, node in table.pairs:
        key = word(key_node)
        if key in lines:
            bad[key] = BadKey(key_node.line, f"{_name(key)} is there twice, first in line {lines[key]}")
        else:
            lines[key], nodes[key] = key_node.line, node
    values: Layer = {}
    try:
        values = keys.validate_python({key: nodes[key] for key in nodes if key not in bad} if bad else nodes)
    except ValidationError as error:
        for each in error.errors(include_url=False, include_input=False):
            key = str(each["loc"][0])
            if each["type"] == "extra_forbidden":
                bad[key] = BadKey(lines[key], _unknown(key, keys))
            elif key not in bad:
                bad[key] = _wrong(each, nodes[key], keys)
        values = keys.validate_python({key: node for key, node in nodes.items() if key not in bad})
    return {key: bad[key] if key in bad else values[key] for key in lines} if bad else values


def word(key: Node) -> str:
    """A key, or what messages say in place of one that is no single word."""
    return key.text if isinstance(key, ScalarNode) else "(no word)"


def _wrong(error: ErrorDetails, node: Node, keys: TypeAdapter[Any]) -> BadKey:
    """What is wrong with a value, told by the line of exactly that part of it."""
    key, inside = str(error["loc"][0]), cast(tuple[int, ...], error["loc"][1:])
    schema = _schemas(keys)[key]
    for step in inside:
        node = cast(ListNode, node).items[step]
        schema = schema["items"] if "items" in schema else schema["prefixItems"][step]
    text = _reason(error, node.text if isinstance(node, ScalarNode) else "", schema)
    explained = f"; {schema['description']}" if inside and "description" in schema else ""
    return BadKey(node.line, f"{key}: {text}{explained}")


def _reason(error: ErrorDetails, text: str, schema: dict[str, Any]) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "value_error":
            return str(context["error"])
        case "greater_than_equal" | "less_than_equal" | "finite_number":
            return f"{shown(text)} is not within {schema['minimum']:g} and {schema['maximum']:g}"
        case "int_from_float":
            return f"{float(text):g} is not a whole number within {schema['minimum']} and {schema['maximum']}"
        case "string_too_long":
            return f"{len(text.strip())} characters are too many: at most {context['max_length']}"
        case "string_pattern_mismatch":
            return f"{shown(text)} is no camera id: letters, digits, _ and -, at most 64"
        case "enum":
            return f"{shown(text)} is not a lane{suggestion(text, [*Lane])}"
        case _:  # none of the keys has it today; pydantic's words show no value
            return error["msg"]


@cache
def _schemas(keys: TypeAdapter[Any]) -> dict[str, dict[str, Any]]:
    """The JSON schema of each key: there the bounds are found that a value is outside of."""
    schemas: dict[str, dict[str, Any]] = keys.json_schema()["properties"]
    return schemas


def _unknown(key: str, keys: TypeAdapter[Any]) -> str:
    if key in OWN:
        return f"{key} belongs to a camera: it cannot be shared"
    if key == "<<":
        return "<< is not known here: cameras share values by `group` and `defaults`"
    return f"{_name(key)} is not a key{suggestion(key, [each for each in KNOWN if each in _schemas(keys)])}"


def _name(key: str) -> str:
    return key if key in KNOWN else shown(key)


def suggestion(word: str, known: Iterable[str]) -> str:
    """`: did you mean X?`, or the words that are known."""
    words = list(known)
    near = difflib.get_close_matches(word.lower(), words, 1) if len(words) <= SUGGESTED_FROM else []
    if near:
        return f": did you mean {near[0]}?"
    return f"; known are {', '.join(words)}" if 0 < len(words) <= 30 else ""
