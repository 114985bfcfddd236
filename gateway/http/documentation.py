"""What routes say of their answers in the OpenAPI document (`responses=`), with examples that a test holds to it."""

from collections.abc import Mapping
from typing import Any

from gateway.http.problems import TYPES

PROBLEM = {"$ref": "#/components/schemas/ProblemView"}
"""The shape of every error, in the document."""
FORM = "application/x-www-form-urlencoded"
Responses = dict[int | str, dict[str, Any]]


def answer(description: str, example: object) -> Responses:
    """A good answer with one example of it."""
    return {200: {"description": description, "content": {"application/json": {"example": example}}}}


def answers(description: str, examples: Mapping[str, object]) -> Responses:
    """A good answer with several examples, each under what was asked."""
    named = {name: {"summary": name, "value": value} for name, value in examples.items()}
    return {200: {"description": description, "content": {"application/json": {"examples": named}}}}


def errors(sentences: Mapping[int, str]) -> Responses:
    """Errors, each status with an example of its sentence."""
    return {status: error(example=example_of(status, sentence)) for status, sentence in sentences.items()}


def error(**example: object) -> dict[str, Any]:
    """One error. For a `model` FastAPI makes a serializer for each status of each route: half of a gateway's start."""
    return {"content": {"application/json": {**example, "schema": PROBLEM}}}


def example_of(status: int, sentence: str) -> dict[str, str]:
    """An error as it is answered."""
    return {"status": "error", "errorType": TYPES.get(status, "error"), "error": sentence}
