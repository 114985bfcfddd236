"""Why a frame was computed or not: what its id tells, the verdict on what was found, and the command's own part."""

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from prometheus_client import CollectorRegistry

from cli.__main__ import run
from cli.errors import CommandError, InvalidOption
from cli.gateway import known_gateway
from cli.layout import Layout
from cli.why.logs import LogWord, no_logs, search
from cli.why.report import STATUSES, report, with_logs
from contract.api.why import Verdict, WhyView, WitnessView
from contract.dead_letters import DeadLetter
from contract.failures import ExpiryReason, FailureReason
from contract.senders import Sender
from gateway.cameras.cameras import Cameras
from gateway.cameras.repeats import REMEMBERED, RepeatedIds
from gateway.metrics import GatewayMetrics
from gateway.prometheus.promql import dropped_of
from gateway.reasons import DELIVERY_LIMIT, MEANINGS, meaning
from gateway.why import letters as letters_module
from gateway.why.drops import increase
from gateway.why.evidence import Evidence
from gateway.why.frame_ids import NumberedFrame, Span, candidates, span
from gateway.why.letters import LetterSearch
from gateway.why.surroundings import queues_word
from gateway.why.verdict import judge

NOW = 1_795_000_000.0
OWN = "gate-3:1794990000000:4711"
NOTHING = WitnessView("history", "nothing", "no result of this frame is kept")
NO_LETTERS = WitnessView("dead_letters", "nothing", "none of the 3 dead letters is of this frame")


def row(**columns: Any) -> Any:
    given = {
        "frame_id": OWN,
        "camera_id": "gate-3",
        "original_timestamp": NOW,
        "timestamp": NOW + 0.1,
        "stored": NOW + 0.4,
        "node_id": "n-1",
        "model": "m@1",
        "status": "ok",
        "reason": None,
        "hop": None,
        "faces": 2,
        "queue_seconds": 0.05,
        "processing_seconds": 0.02,
    }
    return SimpleNamespace(**(given | columns))


def letter(**fields: Any) -> DeadLetter:
    given: dict[str, Any] = {
        "dead_letter_id": "5f2c9a10b7e4",
        "reason": "crashed",
        "error": "it fell",
        "origin": "frame_queue",
        "node_id": "n-1",
        "time": NOW + 3,
        "attempts": 2,
        "camera_id": "gate-3",
        "frame_id": OWN,
        "timestamp": NOW,
        "content_type": None,
        "size": 10,
        "deaths": [],
    }
    return DeadLetter(**(given | fields))


def verdict(around: tuple[WitnessView, ...] = (), **evidence: Any) -> WhyView:
    asked = evidence.get("asked", OWN)
    given: dict[str, Any] = {
        "asked": asked,
        "row": None,
        "recorded": True,
        "begin": NOW - 86_400,
        "numbered": NumberedFrame.read(asked),
        "span": Span(),
        "letters": [],
        "repeated": None,
        "history": NOTHING,
        "dead_letters": NO_LETTERS,
    }
    return judge(Evidence(**(given | evidence)), around, 7.0, "/faces")


# --- what an id tells --------------------------------------------------------------------------------------------


def test_an_id_is_looked_for_as_it_was_meant() -> None:
    assert candidates("gate-3:1:2") == ["gate-3:1:2"]
    assert candidates(" gate-3%3A1%3A2\n")[1:] == ["gate-3%3A1%3A2", "gate-3:1:2"]
    assert candidates("a", [Sender(name="school")]) == ["a", "school:a"]
    assert candidates("a\0b") == ["a\ufffdb"]
    long = candidates("é" * 255)[0]  # as a task's message_id is shortened
    assert len(long.encode()) <= 200
    assert "~" in long


@pytest.mark.parametrize(
    "other",
    ["x", "gate-3:17:4", "gate 3:1794990000000:1", f"{OWN}1\n", 'a"} or up{x="', "gate-3:١٧٩٤٩٩٠٠٠٠:1"],
)
def test_an_id_of_another_program_has_no_number(other: str) -> None:
    assert NumberedFrame.read(other) is None


def test_a_frame_lies_between_its_nearest_neighbours_that_are_kept() -> None:
    frame = NumberedFrame.read(OWN)
    assert frame is not None
    assert (frame.camera_id, frame.begin, frame.number) == ("gate-3", 1_794_990_000.0, 4711)
    assert len(frame.neighbours) <= 80
    assert {"gate-3:1794990000000:4710", "gate-3:1794990000000:4712"} <= set(frame.neighbours)
    kept = [(f"gate-3:1794990000000:{n}", float(n)) for n in (4679, 4709, 4715, 4800)]
    assert span(frame, kept) == Span(4709.0, 4715.0)
    assert span(frame, []) == Span()


# --- the verdict -------------------------------------------------------------------------------------------------


def test_every_reason_has_its_words() -> None:
    reasons = {*map(str, FailureReason), *map(str, ExpiryReason), DELIVERY_LIMIT}
    assert reasons == MEANINGS.keys()
    assert "does not know" in meaning("of-tomorrow").words


def test_a_frame_that_was_computed() -> None:
    view = verdict(row=row())
    assert (view.verdict, view.reason, view.remedy) == ("computed", None, None)
    assert "Worker n-1 computed it 0.07 s after its capture: 2 detections by m@1." in view.words
    assert [hop.hop for hop in view.hops] == ["captured", "queued", "computed", "recorded"]
    links = {link.name: link.href for link in view.links}
    assert links["Result"] == f"/faces/api/frames/{OWN}"
    assert links["Live camera"] == "/faces/?camera=gate-3"
    assert links["Events then"].startswith("/faces/events?camera=gate-3&from=2026-11-18T")


def test_one_whose_result_has_just_come() -> None:
    view = verdict(row=row(), recorded=False)
    assert view.verdict == "computed"
    assert "not recorded yet" in view.words
    assert [hop.hop for hop in view.hops][-1] == "computed"


def test_one_that_expired() -> None:
    view = verdict(row=row(status="expired", reason="stale", hop="worker", queue_seconds=3.25))
    assert (view.verdict, view.reason) == ("expired", "stale")
    assert "older than the staleness budget" in view.words
    assert "Worker n-1 found it 3.25 s old" in view.words
    assert "more workers" in str(view.remedy)


def test_one_among_the_dead_letters() -> None:
    view = verdict(letters=[letter(reason="not_an_image", error="half a JPEG", attempts=1)])
    assert (view.verdict, view.reason) == ("dead_lettered", "not_an_image")
    assert "(half a JPEG)" in view.words
    assert "attempts" not in view.words
    assert "after 2 attempts" in verdict(letters=[letter()]).words
    assert "replay" in str(verdict(letters=[letter()]).remedy)
    assert verdict(row=row(), letters=[letter()]).verdict == "computed"  # it was replayed


def test_ids_that_repeat_are_found_by_what_differs() -> None:
    differing: tuple[dict[str, Any], ...] = (
        {"row": row(), "letters": [letter(timestamp=NOW + 1)]},
        {"row": row(), "letters": [letter(camera_id="roof")]},
        {"letters": [letter(), letter(timestamp=NOW + 1)]},
    )
    for given in differing:
        view = verdict(**given)
        assert (view.verdict, view.reason) == ("repeated", "frame_id_repeated")
    assert verdict(row=row(), letters=[letter(timestamp=None)]).verdict == "computed"  # nothing differs


def test_the_ids_that_repeated_are_remembered_up_to_a_bound() -> None:
    metrics = GatewayMetrics(CollectorRegistry())
    repeats = RepeatedIds(Cameras(lambda _now: ()), metrics)
    for number in range(REMEMBERED + 1):
        repeats.add("history", "roof", f"f{number}", "gate-3")
    repeats.add("live", "roof", "f1", "gate-3")
    found = repeats.find("f1")
    assert found is not None
    assert (found.of, found.last, found.live, found.history) == ("gate-3", "roof", 1, 1)
    assert repeats.find("f0") is None
    view = verdict(row=row(), repeated=found)
    assert view.verdict == "repeated"
    assert "1 result of another frame came with it, the last of roof" in view.words


def test_a_frame_of_a_time_before_the_history() -> None:
    old = verdict(begin=NOW, asked=OWN)
    assert (old.verdict, old.reason) == ("unknown", "too_old")
    # A young system has kept nothing too short: its retention is told, and not blamed.
    assert "older than the oldest result, which is of 2026-11-18" in old.words
    assert "nothing of that time is kept" in old.words
    assert "days" not in old.words
    assert "7 days at most" in (old.remedy or "")
    # Its camera was taken up long ago, but earlier frames than this one are kept.
    assert verdict(begin=NOW, span=Span(before=NOW + 5)).reason == "not_seen"
    # Another program's id tells no time.
    other = verdict(asked="x", begin=NOW)
    assert other.reason == "not_seen"
    assert "or it is older than the oldest result" in other.words


def test_a_frame_that_nobody_has_seen() -> None:
    dropped = WitnessView("metrics", "found", "3 frames were dropped")
    view = verdict(around=(dropped,))
    assert (view.verdict, view.reason) == ("unknown", "not_seen")
    assert "3 frames were dropped" in view.words
    assert "confirmed" in str(view.remedy)
    away = verdict(history=WitnessView("history", "unavailable", "the file is damaged"))
    assert away.reason == "history_unavailable"
    assert "the file is damaged" in away.words


# --- who is asked ------------------------------------------------------------------------------------------------


async def test_nobody_waits_long_for_the_dead_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters_module, "PATIENCE_SECONDS", 0.01)
    looks = 0

    class Endless:
        async def read(self) -> Any:
            nonlocal looks
            looks += 1
            await asyncio.Event().wait()

    search = LetterSearch(Endless())  # type: ignore[arg-type]
    for _ in range(2):
        found, said = await search.find(["x"])
        assert (found, said.state) == ([], "unavailable")
    assert looks == 1
    await search.stop()


def test_what_waits_is_told_by_queue() -> None:
    waiting = {
        "frame_queue": 12,
        "frame_queue.batch": 0,
        "frame_queue.batch.retry.10s": 2,
        "result_queue": 40,
    }
    waiting |= {"frame_queue.from.school": 1, "frame_queue.dlq": 9}
    word = queues_word(waiting, {"frame_queue": 1}, "")
    assert word.words.startswith(
        "frame_queue holds 12 frames; frame_queue.from.school holds 1 frame, and no worker consumes it; "
        "2 wait for another attempt; 40 results wait to be recorded"
    )
    assert queues_word({}, {}, "its disk is full").state == "unavailable"
    assert queues_word({"frame_queue": 0}, {}, "its disk is full").words.endswith("its disk is full")


def test_drops_are_counted_across_a_restart() -> None:
    assert increase({"stale": 5, "replaced": 9}, {"stale": 7, "replaced": 4, "queue_full": 1}) == {
        "replaced": 4,
        "stale": 2,
        "queue_full": 1,
    }


def test_a_name_in_a_query_stays_a_name() -> None:
    assert dropped_of('a"} or up{x="\\\n').count('"') - dropped_of('a"} or up{x="\\\n').count('\\"') == 2


# --- the command -------------------------------------------------------------------------------------------------


def answer(**fields: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "frame_id": "f",
        "verdict": "unknown",
        "words": "Nobody has seen it.",
        "reason": "not_seen",
        "remedy": None,
        "hops": [],
        "witnesses": [],
    }
    return {**given, **fields}


def test_the_logs_tell_that_a_frame_waits_for_another_attempt(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()

    def line(event: str, second: int, name: str = "f-1") -> str:
        return (
            json.dumps({"event": event, "message_id": name, "timestamp": f"2026-11-30T06:00:0{second}Z"})
            + "\n"
        )

    (logs / "worker-1.log").write_text(line("frame gets another attempt", 3) + line("other", 4, "f-2"))
    (logs / "worker-1.log.1").write_text(line("frame gets another attempt", 1))
    word = search(logs, "f-1")
    assert (word.state, word.waits, len(word.lines)) == ("found", True, 2)
    assert word.lines[0].startswith("worker-1.log.1: ")
    told = with_logs(answer(), word)
    assert (told["verdict"], STATUSES[told["verdict"]]) == ("retried_waiting", 4)
    assert with_logs(answer(verdict="computed"), word)["verdict"] == "computed"
    (logs / "worker-2.log").write_text(line("frame dead-lettered", 9))
    assert not search(logs, "f-1").waits
    assert search(logs, "nowhere").state == "nothing"
    (logs / "worker-2.log").write_text(line("frame dead-lettered", 9, 'é"\n'))
    assert search(logs, 'é"\n').state == "found"  # as JSON has it
    assert "grep -F 'a b'" in no_logs("Docker has them", "a b").words


def test_every_verdict_has_its_exit_status() -> None:
    assert STATUSES.keys() == set(get_args(Verdict))
    assert [STATUSES[each] for each in ("computed", "unknown", "repeated")] == [0, 3, 4]


def test_a_terminal_obeys_nothing_that_a_frame_says() -> None:
    hop = {"hop": "dead_letter", "time": 1e300, "seconds": None, "node_id": "\x1b[2J", "detail": "a\r\nb"}
    text = report(with_logs(answer(hops=[hop], frame_id="\x1b]0;x"), LogWord("found", "1", ("\x1b[31m",))))
    assert "\x1b" not in text
    assert "\r" not in text


def test_which_gateway_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = Layout(tmp_path)
    with pytest.raises(CommandError, match="make up"):
        known_gateway(None, None, {}, layout, "why FRAME_ID")
    layout.run.mkdir()
    layout.endpoints.write_text('{"gateway": "http://127.0.0.1:1/", "token": "t"}')
    assert known_gateway(None, None, {}, layout, "why FRAME_ID") == ("http://127.0.0.1:1", "t")
    assert known_gateway("https://h/faces/", None, {"GATEWAY_TOKEN": "u"}, layout, "why FRAME_ID") == (
        "https://h/faces",
        "u",
    )
    for wrong in ("127.0.0.1:8080", "ftp://h", "http://", "http://h/?code=1"):
        with pytest.raises(InvalidOption):
            known_gateway(wrong, None, {}, layout, "why FRAME_ID")
    assert run(["why", ""]) == 2
    assert run(["why", "f", "--url", "http://127.0.0.1:1"]) == 1
