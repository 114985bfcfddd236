"""What pydantic knows of the shapes that routes answer with, worked out once."""

from collections.abc import Iterable
from typing import Any, cast

from pydantic import TypeAdapter

KEPT = "__pydantic_core_schema__"
"""Where pydantic looks for the schema of a data class, and keeps that of its own ones."""


def prepare(shapes: Iterable[type]) -> None:
    """Have pydantic work out each data class once, and not again for every route that answers with it: of what a
    gateway does while it starts that was more than half."""
    for shape in shapes:
        if KEPT not in vars(shape):
            setattr(cast(Any, shape), KEPT, TypeAdapter(shape).core_schema)
