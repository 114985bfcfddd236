"""The area `workers`: how many run, with which models, and how ready each service says it is."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from cli.doctor import remote
from cli.doctor.errors import NoAnswer
from cli.doctor.exposition import native_targets
from cli.doctor.finding import Findings
from cli.doctor.http import ASIDE_SECONDS, ask, side_by_side
from cli.doctor.place import Place
from cli.doctor.promql import targets_of

LOOK = "natively .run/logs/worker-1.log, with Compose docker compose ps -a cv-worker and its logs"
START = "start workers: natively make up WORKERS=2, with Compose docker compose up -d --scale cv-worker=2"
MOST_NAMED = 10
MOST_PROBED = 50


def check(place: Place, findings: Findings) -> None:
    """Note what the gateway has heard of workers, and what the services' own probes say."""
    if place.gateway and place.token:
        try:
            answer = ask(f"{place.gateway}/api/nodes", token=place.token, seconds=ASIDE_SECONDS)
            if answer.status == 200:
                judge(answer.json(), place.expected, findings)
        except NoAnswer as why:
            findings.unknown("nodes", f"not known: the gateway {why}", "see gateway")
        remote.check(place, findings)
    _probes(place, findings)


def judge(said: Any, expected: int | None, findings: Findings) -> None:
    """Note what the gateway knows of workers. Raises NoAnswer."""
    try:
        nodes: list[Mapping[str, Any]] = said["items"]
        expected = said["expected"] if expected is None else expected
        running = [each for each in nodes if _works(each)]
        _count(len(running), expected, _drained(nodes), findings)
        for each in nodes[:MOST_NAMED]:
            _judge_node(each, findings)
    except (KeyError, TypeError):
        raise NoAnswer("answers, but not as this version's gateway does") from None


def all_drained(place: Place) -> list[str]:
    """The workers, if each that is heard is drained; empty if one takes frames, or nobody tells."""
    if not place.gateway or not place.token:
        return []
    try:
        said = ask(f"{place.gateway}/api/nodes", token=place.token, seconds=ASIDE_SECONDS).json()
        nodes: list[Mapping[str, Any]] = said["items"]
        return [] if any(map(_works, nodes)) else _drained(nodes)
    except (NoAnswer, KeyError, TypeError):
        return []  # the areas `gateway` and `workers` say so


def undrain(names: Sequence[str]) -> str:
    """The command that puts all of them to work again."""
    more = f", and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"framefleet nodes undrain {' '.join(names[:MOST_NAMED])}{more}"


def _works(node: Mapping[str, Any]) -> bool:
    return bool(node["state"] == "running" and not node.get("drain"))


def _drained(nodes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Those that are heard and that an operator has put out of work, also where they have not obeyed yet."""
    heard = (each for each in nodes if each["state"] not in ("lost", "unknown"))
    return [str(each["node_id"]) for each in heard if each.get("drain")]


def _count(running: int, expected: int | None, drained: list[str], findings: Findings) -> None:
    named = ", ".join(drained[:MOST_NAMED])
    if running == 0 and drained:
        findings.error(
            "running",
            f"every worker that is heard is drained: no frame is computed ({named})",
            undrain(drained),
        )
        return
    if drained:
        # Nothing else tells of one that was forgotten.
        words = f"an operator has put {named} out of work; `framefleet nodes list` says since when, and by whose token"
        findings.warning("drained", words, f"{undrain(drained)}, unless that is meant")
    if drained and (expected is None or running + len(drained) >= expected):
        findings.ok("running", f"{running} run")
    elif running == 0 and expected != 0:
        findings.error("running", "no worker runs: no frame is computed", f"{START}; {LOOK}")
    elif expected is not None and running < expected:
        findings.warning("running", f"{running} of {expected} workers run", LOOK)
    else:
        findings.ok("running", f"{running} run")


def _judge_node(node: Mapping[str, Any], findings: Findings) -> None:
    name = str(node["node_id"])
    if node["state"] == "lost":
        findings.warning(name, "it ended without a word, or cannot reach the broker", LOOK)
    elif node["state"] == "unknown":
        findings.unknown(
            name, "the gateway has no broker, or has only just got it back", "see the broker's part"
        )
    elif node.get("model_error"):
        findings.error(
            name,
            f"it does not compute with the model desired of it: {node['model_error']}",
            "framefleet models list",
        )
    elif node.get("fallback"):
        findings.warning(
            name,
            f"it detects with {node['detector']}: {node['fallback']}",
            "docs/models.md#without-the-internet",
        )


def _probes(place: Place, findings: Findings) -> None:
    bases = probe_bases(place)[:MOST_PROBED]
    ready = 0
    for (job, base), lacks in side_by_side(_missing, bases):
        if isinstance(lacks, NoAnswer):
            findings.error(
                job, f"{base}/readyz {lacks}", "its log says why; if another program has its port, end that"
            )
            continue
        ready += not lacks
        if lacks:
            findings.error(job, f"{base} lacks: {'; '.join(lacks)}", "mend what it names; its log says more")
    if ready:
        findings.ok("probes", f"{ready} of {len(bases)} services say that they are ready")


def _missing(service: tuple[str, str]) -> list[str]:
    """What a service says that it lacks. Raises NoAnswer."""
    answer = ask(f"{service[1]}/readyz", seconds=ASIDE_SECONDS)
    said = answer.json()
    lacks = said.get("missing", []) if isinstance(said, dict) and "status" in said else None
    if answer.status not in (200, 503) or not isinstance(lacks, list):
        raise NoAnswer(f"answers with status {answer.status}, but is not a service of ours")
    return [str(each) for each in lacks]


def probe_bases(place: Place) -> list[tuple[str, str]]:
    """Job and base URL of the probes of workers and producers."""
    if place.native and place.gateway:
        pages = [("cv-worker", _base(url)) for url in place.workers]
        return pages + [("producer", f"http://{each}") for each in native_targets(place).get("producer", [])]
    return [
        (job, f"http://{instance}")
        for job in ("cv-worker", "producer")
        for instance in targets_of(place.prometheus, job)
    ]


def _base(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
