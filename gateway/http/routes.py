"""Which of the application's routes a path belongs to, by its template: `/api/events/{event_id}`, never the path."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

OTHER = "other"
"""The route of a path that none has, and the method that a route does not take: people invent both."""
RESERVED = ("/api/", "/ws/", "/assets/")
"""Paths below these are never the dashboard's, whose route takes everything."""
EVERYTHING = "/{path}"
READ_ONLY = frozenset({"GET", "HEAD"})
"""What WebSockets and folders of files take."""


def take(router: APIRouter, source: APIRouter) -> None:
    """Give `router` the routes of `source`.

    `include_router` makes each anew when the first request comes, which nobody else is answered beside.
    """
    for route in source.routes:
        if isinstance(route, APIRoute):
            route.unique_id = route.operation_id or route.name
    router.routes += source.routes


@dataclass(frozen=True, slots=True)
class RouteNames:
    """Templates with the methods that they take. Most paths have no parameters, and are found by one look."""

    fixed: Mapping[str, str]
    patterns: Sequence[tuple[re.Pattern[str], str]]
    methods: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, app: FastAPI) -> Self:
        """The routes that the application has now."""
        fixed: dict[str, str] = {}
        patterns: list[tuple[re.Pattern[str], str]] = []
        methods: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
        for route in iter_route_contexts(app.routes):
            template = route.path_format
            if template is None:
                continue
            taken = READ_ONLY if route.methods is None else frozenset(route.methods)
            methods[template] |= taken | ({"HEAD"} if "GET" in taken else set())
            if "{" not in template:
                fixed[template] = template
            elif (route.path_regex, template) not in patterns:
                patterns.append((route.path_regex, template))
        return cls(fixed, patterns, dict(methods))

    def name(self, path: str, method: str) -> tuple[str, str]:
        """The route's template and the method, each as it is counted."""
        template = self.fixed.get(path) or self._matching(path)
        return template, method if method in self.methods.get(template, READ_ONLY) else OTHER

    def _matching(self, path: str) -> str:
        reserved = f"{path}/".startswith(RESERVED)
        for pattern, template in self.patterns:
            if pattern.match(path) and not (reserved and template == EVERYTHING):
                return template
        return OTHER
