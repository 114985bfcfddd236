"""docs/runbooks: a page for each alert and none without, whose queries, commands and names are real."""

import re
import shlex
import subprocess
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from cli.parser import Parser
from cli.subcommands import SUB_COMMANDS
from tests.helpers.components import require

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs/runbooks"
INDEX = FOLDER / "index.md"
RUNBOOKS = {page.stem: page.read_text() for page in sorted(FOLDER.glob("*.md")) if page != INDEX}
HEADINGS = ["What it means", "Confirm it", "What to do", "How to know that it is over", "Also fires"]
CODE = re.compile(r"^ *```sh\n(.*?)^ *```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
OURS = re.compile(r"\b(?:cv|gateway|producer|framefleet)_[a-z_]+\b")
ALERTMANAGER: dict[str, Any] = yaml.safe_load((ROOT / "deploy/alertmanager/alertmanager.yml").read_text())


@cache
def alerts() -> dict[str, set[str]]:
    """The severities of every alert; an objective has two."""
    found: dict[str, set[str]] = {}
    for file in (ROOT / "deploy/prometheus/rules").glob("*.yml"):
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    found.setdefault(rule["alert"], set()).add(rule["labels"]["severity"])
    return found


def queries(text: str) -> list[str]:
    """The queries of a page, one on each line of its promql blocks."""
    blocks = re.findall(r"^```promql\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def section(text: str, heading: str) -> str:
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def commands(text: str, program: str) -> list[list[str]]:
    """The words after `program` where a page's code calls it, in comments too; `…` leaves the rest open."""
    called = program.split()
    lines = [line for block, inline in CODE.findall(text) for line in (block or inline).splitlines()]
    found = []
    for part in (part for line in lines for part in line.split(" #") if program in part):
        lexer = shlex.shlex(part.replace(".venv/bin/", ""), posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set("();<>|&"):
                if called[0] in words and words[words.index(called[0]) :][: len(called)] == called:
                    found.append(words[words.index(called[0]) + len(called) :])
                words = []
            else:
                words.append(word)
    return found


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    assert sorted(RUNBOOKS) == sorted(alerts())


def test_every_runbook_has_the_same_parts() -> None:
    for name, text in RUNBOOKS.items():
        assert text.startswith(f"# {name}\n"), name
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS, name
        assert all(section(text, heading).strip() for heading in HEADINGS), name
        assert queries(section(text, "Confirm it")), name
        assert queries(section(text, "How to know that it is over")) or name == "FramefleetWatchdog", name
        assert len(text.splitlines()) <= 60, name  # read at night


def test_every_query_parses(tmp_path: Path) -> None:
    pages = {**RUNBOOKS, "index": INDEX.read_text()}
    rules = [
        {"record": f"{name}:query{number}", "expr": query}
        for name, text in pages.items()
        for number, query in enumerate(queries(text))
    ]
    assert len(rules) > 2 * len(RUNBOOKS)
    file = tmp_path / "runbooks.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "runbooks", "rules": rules}]}))
    done = subprocess.run(
        [require("promtool"), "check", "rules", file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_of_ours_that_a_query_names_is_in_the_table_of_metrics() -> None:
    table = set(OURS.findall((ROOT / "docs/metrics.md").read_text()))
    unknown = {
        (name, metric)
        for name, text in RUNBOOKS.items()
        for query in queries(text)
        for metric in OURS.findall(re.sub(r'"[^"]*"', "", query))
        if not {metric, re.sub(r"_(bucket|sum|count)$", "", metric)} & table
    }
    assert unknown == set()


def test_what_also_fires_are_alerts_and_not_the_same() -> None:
    for name, text in RUNBOOKS.items():
        also = re.findall(r"\[(\w+)\]\((\w+)\.md\)", section(text, "Also fires"))
        assert all(shown == file for shown, file in also), name
        assert {file for _, file in also} <= set(RUNBOOKS) - {name}, name


def test_every_command_of_framefleet_is_understood() -> None:
    """By its own parser, options and all."""
    for name, text in {**RUNBOOKS, "index": INDEX.read_text()}.items():
        for words in (words for words in commands(text, "framefleet") if "…" not in words):
            (known,) = (each for each in SUB_COMMANDS if each.name == words[0])
            parser = Parser(prog=f"{name}: framefleet {known.name}")
            import_module(known.module).add(parser)
            parser.parse_args(words[1:])  # exits with a sentence


def test_every_command_of_compose_names_files_and_services_that_there_are() -> None:
    files = [ROOT / "docker-compose.yml", *(ROOT / "deploy").glob("compose.*.yml")]
    services = {service for file in files for service in yaml.safe_load(file.read_text())["services"]}
    for name, text in {**RUNBOOKS, "index": INDEX.read_text()}.items():
        for words in commands(text, "docker compose"):
            while words[0] == "-f":
                assert (ROOT / words[1]).is_file(), (name, words)
                words = words[2:]
            action, rest = words[0], words[1:]
            if action not in ("exec", "logs", "ps", "restart", "up"):
                assert action in ("images", "unpause"), (name, words)
                continue
            if "--scale" in rest:
                scaled = rest.pop(rest.index("--scale") + 1)
                assert scaled.partition("=")[0] in services, (name, words)
            if "--since" in rest:
                del rest[rest.index("--since") + 1]
            named = [word for word in rest if not word.startswith("-")]
            assert set(named[:1] if action == "exec" else named) <= {*services, "$node"}, (name, words)


def test_the_index_lists_every_alert_with_its_severity() -> None:
    rows = re.findall(r"^\| \[(\w+)\]\((\w+)\.md\) \| ([\w, ]+) \| .+ \|$", INDEX.read_text(), re.MULTILINE)
    assert [shown for shown, _, _ in rows] == [file for _, file, _ in rows]
    assert {file: set(severity.split(", ")) for _, file, severity in rows} == alerts()
    assert len(rows) == len(alerts())


def test_alertmanager_holds_back_only_what_a_cause_of_that_weight_tells() -> None:
    """Names that there are; and what is critical is silenced by nothing that wakes nobody."""
    for rule in ALERTMANAGER["inhibit_rules"]:
        source, target = (_matched(rule[key]) for key in ("source_matchers", "target_matchers"))
        assert source
        assert target
        if any("critical" in severities for severities in target.values()):
            assert all("critical" in severities for severities in source.values()), rule
    receivers = {receiver["name"] for receiver in ALERTMANAGER["receivers"]}
    route = ALERTMANAGER["route"]
    assert {route["receiver"], *(each["receiver"] for each in route["routes"])} == receivers


def _matched(matchers: list[str]) -> dict[str, set[str]]:
    """The alerts that matchers take, with those of their severities that they take."""
    found = dict(alerts())
    for matcher in matchers:
        label, sign, value = re.fullmatch(r'(\w+)(=~?)"(.*)"', matcher.strip()).groups()  # type: ignore[union-attr]
        pattern = re.compile(value if sign == "=~" else re.escape(value))
        if label == "alertname":
            plain = [each for each in value.split("|") if re.fullmatch(r"\w+", each)]
            assert set(plain) <= set(found), matcher
            found = {name: severities for name, severities in found.items() if pattern.fullmatch(name)}
        elif label == "severity":
            found = {
                name: {each for each in severities if pattern.fullmatch(each)}
                for name, severities in found.items()
            }
    return {name: severities for name, severities in found.items() if severities}
