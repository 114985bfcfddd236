"""What a result depends on, as one name. Pure.

The same bytes, computed by the same model in the same way, give the same result. What the bytes are is their SHA-256;
what computes is a `recipe`: a digest of all that changes a worker's answers, which the worker itself announces.
Masks and sizes need no place here: they are applied before a picture is encoded, and so change its bytes.
"""

import hashlib
from collections.abc import Iterable
from typing import Protocol

VERSION = b"1"
"""Of the form of what is kept: another one, and nothing of before is found."""


class Announced(Protocol):
    """What is needed of a worker's heartbeat."""

    @property
    def lane(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def detector(self) -> str: ...
    @property
    def recipe(self) -> str: ...


def content_digest(content: bytes) -> bytes:
    """SHA-256 of the bytes as they are sent: nobody can make two pictures that are taken for one."""
    return hashlib.sha256(content).digest()


def key(content: bytes, recipe: str, *, kind: str = "picture", parameters: str = "") -> bytes:
    """The key, 32 bytes, of the result for a content digest.

    `parameters` is whatever else changes the answer, as the asker writes it: for a video how it is sampled.
    Raises ValueError without a recipe: a result of which nobody knows how it was computed is not kept.
    """
    if not recipe:
        raise ValueError("no recipe: it is not known what would compute this")
    digest = hashlib.sha256(VERSION)
    for part in (kind.encode(), content, recipe.encode(), parameters.encode()):
        digest.update(len(part).to_bytes(4))
        digest.update(part)
    return digest.digest()


def agreed_recipe(heartbeats: Iterable[Announced], lane: str, model: str | None = None) -> str | None:
    """The recipe by which any worker of the lane that takes pictures would compute one; None if that is not certain.

    `model` is what tasks ask for, None for what the workers use. While they switch models their recipes differ: then
    nothing is looked up, and every picture is sent.
    """
    workers = [each for each in heartbeats if each.lane == lane and each.state == "running"]
    if model is not None and any(each.detector != model for each in workers):
        return None
    recipes = {each.recipe for each in workers}
    return recipes.pop() or None if len(recipes) == 1 else None
