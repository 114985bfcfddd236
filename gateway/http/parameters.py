"""Query parameters of routes that take several, as models."""

from pydantic import BaseModel, ConfigDict


class QueryParameters(BaseModel):
    """The base of every such model: what it does not name is refused.

    Through HTTP that has been done before, with a suggestion, and for routes without a model too (strict.py).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
