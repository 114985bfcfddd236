"""Query parameters of routes: models of those that take several, and which a route takes."""

from types import UnionType
from typing import Any, Union, get_args, get_origin

from fastapi.dependencies.models import Dependant
from pydantic import BaseModel, ConfigDict


class QueryParameters(BaseModel):
    """The base of every such model: what it does not name is refused.

    Through HTTP that has been done before, with a suggestion, and for routes without a model too (strict.py).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


def query_parameters(dependant: Dependant) -> dict[str, bool]:
    """The names of those that a route takes, each with whether it may be repeated."""
    taken: dict[str, bool] = {}
    for field in dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, QueryParameters):
            taken |= {
                each.alias or name: _is_list(each.annotation) for name, each in kind.model_fields.items()
            }
        else:
            taken[field.alias] = _is_list(kind)
    for each in dependant.dependencies:
        taken |= query_parameters(each)
    return taken


def _is_list(kind: Any) -> bool:
    origin = get_origin(kind)
    return origin is list or (origin in (Union, UnionType) and any(map(_is_list, get_args(kind))))
