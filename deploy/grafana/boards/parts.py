"""The parts of a dashboard: query, panel, row, board, as Grafana's JSON model has them (schema 41, Grafana 12)."""

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]
WIDTH = 24
DATASOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
CHOSEN = 'job=~"$job",instance=~"$instance"'
"""What `@` stands for in a selector: the jobs and instances that the reader has chosen."""

GREEN, YELLOW, RED = "green", "yellow", "red"


def query(expression: str, legend: str) -> Json:
    """A query of a panel. `@` in the expression stands for the matchers of job and instance."""
    return {"expr": expression.replace("@", CHOSEN), "legendFormat": legend}


def above(*limits: tuple[float, str]) -> list[Json]:
    """Thresholds: green, and from each limit (in the panel's unit) on that colour."""
    return [{"color": GREEN, "value": None}] + [{"color": color, "value": limit} for limit, color in limits]


def below(*limits: tuple[float, str]) -> list[Json]:
    """Thresholds: under each limit (rising, in the panel's unit) that colour, and green beyond the last."""
    colors = [color for _, color in limits] + [GREEN]
    steps = [None] + [limit for limit, _ in limits]
    return [{"color": color, "value": step} for color, step in zip(colors, steps, strict=True)]


def panel(
    title: str,
    description: str,
    unit: str,
    *queries: Json,
    width: int = 8,
    thresholds: Sequence[Json] = (),
    least: float | None = 0,
    runbook: str | None = None,
) -> Json:
    """A graph over time from `least` upwards. `unit` is one of Grafana's; `runbook` names the alert on the same."""
    defaults: Json = {"unit": unit, "custom": {"fillOpacity": 8, "showPoints": "never"}}
    if least is not None:
        defaults["min"] = least
    if thresholds:
        defaults["thresholds"] = {"mode": "absolute", "steps": list(thresholds)}
        defaults["custom"]["thresholdsStyle"] = {"mode": "dashed"}
    options = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return _panel("timeseries", title, description, defaults, options, queries, (width, 8), runbook)


def stat(
    title: str,
    description: str,
    unit: str,
    one: Json,
    *,
    width: int = 4,
    thresholds: Sequence[Json] = (),
    runbook: str | None = None,
) -> Json:
    """A figure as it is now, in colour where there are thresholds."""
    steps = list(thresholds) or [{"color": "text", "value": None}]
    defaults: Json = {"unit": unit, "thresholds": {"mode": "absolute", "steps": steps}}
    options = {
        "colorMode": "value",
        "graphMode": "none",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    now = [one | {"range": False, "instant": True}]
    return _panel("stat", title, description, defaults, options, now, (width, 4), runbook)


def table(title: str, description: str, unit: str, one: Json, *, width: int = 12) -> Json:
    """A row for each series as it is now: its labels and the value."""
    hidden = {"Time": True, "__name__": True, "job": True}
    made = _panel(
        "table",
        title,
        description,
        {"unit": unit},
        {"showHeader": True, "sortBy": [{"displayName": "Value", "desc": True}]},
        [one | {"range": False, "instant": True, "format": "table"}],
        (width, 8),
        None,
    )
    return made | {"transformations": [{"id": "organize", "options": {"excludeByName": hidden}}]}


def row(title: str, *panels: Json) -> tuple[str, tuple[Json, ...]]:
    """Panels under a heading, set from left to right, and on as many lines as they need."""
    return title, panels


def board(
    name: str,
    title: str,
    description: str,
    *rows: tuple[str, tuple[Json, ...]],
    jobs: str | None,
    variables: Sequence[Json] = (),
) -> Json:
    """A dashboard `framefleet-<name>`. `jobs` selects the series whose jobs and instances may be chosen, if any."""
    chosen = [_variable("job", "Job", jobs, "job"), _variable("instance", "Instance", jobs, "instance")]
    return {
        "uid": f"framefleet-{name}",
        "title": f"Framefleet / {title}",
        "description": description,
        "tags": ["framefleet"],
        "timezone": "browser",
        "schemaVersion": 41,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": {"from": "now-30m", "to": "now"},
        "templating": {"list": [_SOURCE, *(chosen if jobs else []), *variables]},
        "annotations": {"list": [_FIRING]},
        "links": [_OTHERS],
        "panels": _placed(rows),
    }


def variable(name: str, label: str, selector: str, of: str) -> Json:
    """A variable with the values of label `of` among the chosen series."""
    return _variable(name, label, selector.replace("@", CHOSEN), of)


_SOURCE: Json = {
    "name": "datasource",
    "label": "Data source",
    "type": "datasource",
    "query": "prometheus",
    "current": {"text": "Framefleet", "value": "framefleet"},  # deploy/grafana/provisioning
}
_FIRING: Json = {
    "name": "Alerts firing",
    "datasource": DATASOURCE,
    "enable": True,
    "hide": False,
    "iconColor": RED,
    "expr": 'ALERTS{alertstate="firing",severity!="info"}',
    "titleFormat": "{{alertname}}",
    "step": "10s",
}
_OTHERS: Json = {
    "title": "Framefleet",
    "type": "dashboards",
    "tags": ["framefleet"],
    "asDropdown": False,
    "includeVars": False,  # an instance of one board means nothing on another
    "keepTime": True,
    "targetBlank": False,
}


def _variable(name: str, label: str, selector: str | None, of: str) -> Json:
    if name == "instance" and selector is not None:
        opened = selector if "{" in selector else selector + "{}"
        selector = opened.replace("{", '{job=~"$job",', 1).replace(",}", "}")
    asked = f"label_values({selector}, {of})"
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATASOURCE,
        "definition": asked,
        "query": {"query": asked, "refId": name},
        "refresh": 2,  # when the range changes: nodes come and go
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _panel(
    kind: str,
    title: str,
    description: str,
    defaults: Json,
    options: Json,
    queries: Sequence[Json],
    size: tuple[int, int],
    runbook: str | None,
) -> Json:
    if runbook is not None:
        description += f"\n\nRunbook: `docs/runbooks/{runbook}.md`"
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "gridPos": {"w": size[0], "h": size[1]},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
        "targets": [
            {"refId": chr(ord("A") + at), "datasource": DATASOURCE, "editorMode": "code", "range": True}
            | each
            for at, each in enumerate(queries)
        ],
    }


def _placed(rows: Sequence[tuple[str, tuple[Json, ...]]]) -> list[Json]:
    """The panels of all rows with ids and places, each row under its heading."""
    placed: list[Json] = []
    y = 0
    for title, panels in rows:
        heading = {"type": "row", "title": title, "collapsed": False, "panels": []}
        placed.append(heading | {"id": len(placed) + 1, "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1}})
        y += 1
        x = line = 0
        for each in panels:
            size = each["gridPos"]
            if x + size["w"] > WIDTH:
                x, y, line = 0, y + line, 0
            placed.append(each | {"id": len(placed) + 1, "gridPos": {"x": x, "y": y, **size}})
            x, line = x + size["w"], max(line, size["h"])
        y += line
    return placed
