"""Who may do what. Pure.

The rule is by method and path, in one place, so that a new route is the operator's until somebody says otherwise.
"""

import re
from typing import Literal, get_args

Role = Literal["viewer", "operator"]
ROLES: tuple[Role, ...] = get_args(Role)
"""From the fewest rights to the most."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FOR_EVERYBODY = frozenset({"/api/login", "/api/logout", "/api/presence"})
# Senders' names, errors, nodes and headers of what went wrong, and pictures of whatever was sent, cameras or not; and
# each look costs the broker something.
OPERATORS_READ = re.compile(r"/api/dlq(/.*)?")
# Prometheus' clients send long queries as a form: these change nothing.
READING_POSTS = re.compile(r"/api/prometheus/.*")


def needed_role(method: str, path: str) -> Role:
    """The least role that may send this request."""
    if OPERATORS_READ.fullmatch(path):
        return "operator"
    reads = method in SAFE_METHODS or path in FOR_EVERYBODY or READING_POSTS.fullmatch(path)
    return "viewer" if reads else "operator"


def suffices(role: Role, needed: Role) -> bool:
    """Whether `role` has the rights of `needed`."""
    return ROLES.index(role) >= ROLES.index(needed)


def lesser(one: Role, other: Role) -> Role:
    """The one with fewer rights."""
    return min(one, other, key=ROLES.index)
