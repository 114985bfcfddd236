"""A linter of Grafana dashboards, with the rules of grafana/dashboard-linter and a few of our own; and their PromQL."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]

TEMPLATED = {"type": "prometheus", "uid": "${datasource}"}
PREFIXES = "cv|producer|gateway|framefleet|rabbitmq|process|python|node|prometheus|slo"
SELECTOR = re.compile(rf"\b((?:{PREFIXES})[_:][\w:]*|up|ALERTS)\{{([^}}]*)\}}")
BARE = re.compile(rf"\b((?:{PREFIXES})[_:][\w:]*|up|ALERTS)(?![\w:{{])")
LABEL_LISTS = re.compile(r"\b(?:by|on|ignoring|without|group_left|group_right)\s*\([^)]*\)")
MATCHERS = re.compile(r"\{[^}]*\}")
COUNTED = re.compile(r"_(total|bucket|sum|count)$")
RANGE = re.compile(r"\[([^\]]*)\]")
UNITS = {"cps", "s", "short", "percentunit", "bytes", "Bps"}
FILLED = {"$__rate_interval": "1m", "$job": ".+", "$instance": ".+", "$node": ".+"}


def shown(board: Json) -> list[Json]:
    """The board's panels without the headings of rows."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def expressions(board: Json) -> list[tuple[str, str]]:
    """Title and expression of every query of every panel."""
    return [(panel["title"], target["expr"]) for panel in shown(board) for target in panel["targets"]]


def variables(board: Json) -> list[Json]:
    """The variables of a board whose values are a label's."""
    return [each for each in board["templating"]["list"] if each["type"] == "query"]


def metrics(expression: str) -> set[str]:
    """The names of the metrics in an expression."""
    return {name for name, _ in SELECTOR.findall(expression)}


def filled(expression: str) -> str:
    """The expression with Grafana's variables in it as Grafana writes them when all are chosen."""
    for name, value in FILLED.items():
        expression = expression.replace(name, value)
    return expression


def complaints(board: Json, exclusions: Json) -> list[str]:
    """What is wrong with a board: `rule: panel: words`. `exclusions` are those of a `.lint` file."""
    return [
        f"{rule}: {panel or board.get('title')}: {words}"
        for rule, panel, words in _found(board)
        if not _excluded(exclusions.get(rule), board.get("title"), panel)
    ]


def refused(named: list[tuple[str, str]], folder: Path) -> str:
    """What promtool, in one process, says of those expressions that it cannot parse; empty if it can parse all."""
    rules = [
        {"record": f"expression:{at}", "expr": filled(expression), "labels": {"panel": title}}
        for at, (title, expression) in enumerate(named)
    ]
    file = folder / "expressions.yml"
    file.write_text(json.dumps({"groups": [{"name": "boards", "rules": rules}]}))
    done = subprocess.run(
        ["promtool", "check", "rules", file], capture_output=True, text=True, check=False, timeout=30
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _excluded(exclusion: Json | None, board: str | None, panel: str | None) -> bool:
    entries = exclusion.get("entries", []) if exclusion else []
    return any(entry["dashboard"] == board and entry.get("panel", panel) == panel for entry in entries)


def _found(board: Json) -> Iterator[tuple[str, str | None, str]]:
    variables = {each["name"]: each for each in board["templating"]["list"]}
    source = variables.pop("datasource", {})
    if (source.get("type"), source.get("query")) != ("datasource", "prometheus"):
        yield "template-datasource-rule", None, "no variable for the data source"
    for name in ("job", "instance"):
        if name not in variables:
            yield f"template-{name}-rule", None, "no such variable"
    for name, each in variables.items():
        if not each["query"]["query"].startswith("label_values("):
            yield "template-label-promql-rule", None, f"{name} asks for no label's values"
        if each["refresh"] != 2:
            yield "template-on-time-change-reload-rule", None, f"{name} is not asked for again"
        if (each["datasource"], each["allValue"], each["multi"]) != (TEMPLATED, ".+", True):
            yield "template-datasource-rule", None, f"{name} is of another source, or has no value for all"
    if board["editable"]:
        yield "uneditable-dashboard-rule", None, "the file is the original"
    ids = [panel["id"] for panel in board["panels"]]
    if len(set(ids)) < len(ids):
        yield "panel-id-rule", None, "an id stands twice"
    yield from _places(board)
    for panel in shown(board):
        for rule, words in _of_panel(panel, set(variables)):
            yield rule, panel.get("title"), words


def _places(board: Json) -> Iterator[tuple[str, str | None, str]]:
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        across, down = (range(place[at], place[at] + place[size]) for at, size in (("x", "w"), ("y", "h")))
        cells = {(x, y) for x in across for y in down}
        if cells & taken or across.stop > 24:
            yield "panel-place-rule", panel.get("title"), "lies on another panel, or beyond the edge"
        taken |= cells


def _of_panel(panel: Json, variables: set[str]) -> Iterator[tuple[str, str]]:
    if not panel.get("title") or not panel.get("description"):
        yield "panel-title-description-rule", "no title, or no description"
    if panel["fieldConfig"]["defaults"].get("unit") not in UNITS:
        yield "panel-units-rule", "no unit, or an unknown one"
    if panel.get("datasource") != TEMPLATED:
        yield "panel-datasource-rule", "another data source than the variable's"
    if not panel.get("targets"):
        yield "panel-no-targets-rule", "no queries"
    if len({target["refId"] for target in panel["targets"]}) < len(panel["targets"]):
        yield "target-ref-rule", "a refId stands twice"
    for target in panel["targets"]:
        if target["datasource"] != TEMPLATED:
            yield "panel-datasource-rule", "another data source than the variable's"
        if not target.get("legendFormat"):
            yield "target-legend-rule", "no legend"
        yield from _of_expression(target["expr"], variables)


def _of_expression(expression: str, variables: set[str]) -> Iterator[tuple[str, str]]:
    for span in RANGE.findall(expression):
        if span != "$__rate_interval":
            yield "target-rate-interval-rule", f"[{span}] is no $__rate_interval"
    if unknown := set(re.findall(r"\$(\w+)", expression)) - variables - {"__rate_interval"}:
        yield "target-promql-rule", f"no variable {', '.join(sorted(unknown))}"
    if bare := BARE.findall(MATCHERS.sub("{", LABEL_LISTS.sub("", expression))):
        yield "target-selector-rule", f"{', '.join(bare)} without a selector"
    for match in SELECTOR.finditer(expression):
        name, matchers = match.groups()
        for label in ("job", "instance"):
            if f'{label}=~"${label}"' not in matchers:
                yield f"target-{label}-rule", f"{name} of every {label}"
        if COUNTED.search(name) and not re.search(r"\b(rate|increase)\($", expression[: match.start()]):
            yield "target-counter-agg-rule", f"{name} counts: take its rate first"
