"""Shapes of answers are worked out once in a process, and stay what they are."""

from dataclasses import dataclass, fields
from typing import Annotated, Any, cast

from pydantic import TypeAdapter

from contract.document import ANSWERS
from gateway.http.shapes import KEPT, prepare


@dataclass
class Part:
    name: str


@dataclass
class Whole:
    parts: list[Part]
    count: int = 0


def test_a_shape_that_is_prepared_is_not_worked_out_again() -> None:
    before = TypeAdapter(Whole).json_schema()
    prepare([Whole])
    cast(Any, Whole).__dataclass_fields__ = {}  # whoever looks again finds nothing
    assert fields(Whole) == ()
    assert TypeAdapter(Annotated[Whole, "the answer of a route"]).json_schema() == before
    assert TypeAdapter(dict[str, Whole]).validate_python({"a": {"parts": [{"name": "b"}]}})


def test_answers_stay_what_they_are() -> None:
    for shape in ANSWERS:
        if KEPT in vars(shape):  # this process has started a gateway
            delattr(shape, KEPT)
    plain = [TypeAdapter(shape).json_schema(mode="serialization") for shape in ANSWERS]
    prepare(ANSWERS)
    assert [TypeAdapter(shape).json_schema(mode="serialization") for shape in ANSWERS] == plain
