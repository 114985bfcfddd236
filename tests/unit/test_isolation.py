"""A frame that kills the process that computes it kills a child, and says so."""

import pytest

from contract.failures import FailureReason
from contract.senders import Sender
from tests.helpers.images import astronaut, jpeg, task
from worker import isolation
from worker.isolation import compute_apart
from worker.processor import Computed, Failed, Given
from worker.settings import WorkerSettings

SETTINGS = WorkerSettings(detector="haar", node_id="n-1", amqp_url="amqp://u:hunter2@h/")
MISBEHAVING = "tests.helpers.misbehaving_child"


def suspect(body: bytes) -> Given:
    return Given(body, "application/json", {}, "m-1", 0.1)


def test_a_good_frame_comes_back_computed() -> None:
    outcome = compute_apart(SETTINGS, "haar", suspect(task(jpeg(astronaut()))))
    assert isinstance(outcome, Computed)
    assert outcome.result.detections
    assert outcome.result.node_id == "n-1"


def test_a_sender_s_frame_comes_back_under_its_name() -> None:
    body = task(jpeg(astronaut()), camera_id="gate-3", frame_id="f-1")
    outcome = compute_apart(
        SETTINGS, "haar", Given(body, "application/json", {}, None, 0.1, Sender(name="school"))
    )
    assert isinstance(outcome, Computed), outcome
    result = outcome.result
    assert (result.camera_id, result.frame_id, result.sender) == ("school-gate-3", "school:f-1", "school")


def test_a_model_that_a_sender_may_not_name_is_refused_apart_too() -> None:
    body = task(jpeg(astronaut()), model="yunet")
    outcome = compute_apart(
        SETTINGS, "haar", Given(body, "application/json", {}, None, 0.1, Sender(name="school"))
    )
    assert isinstance(outcome, Failed)
    assert outcome.reason is FailureReason.NOT_ALLOWED


def test_a_bad_frame_comes_back_with_its_reason() -> None:
    outcome = compute_apart(SETTINGS, "haar", suspect(b"{}"))
    assert isinstance(outcome, Failed)
    assert outcome.reason is FailureReason.INVALID_TASK


@pytest.mark.parametrize(
    ("how", "timeout", "said"), [("deadly", 20.0, "SIGSEGV"), ("endless", 3.0, "no answer within 3 s")]
)
def test_a_child_that_dies_or_hangs_is_a_crash(
    how: str, timeout: float, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "MODULE", MISBEHAVING)
    outcome = compute_apart(SETTINGS, "haar", Given(b"x", None, {}, how, 0.1), timeout=timeout)
    assert isinstance(outcome, Failed)
    assert outcome.reason is FailureReason.CRASHED
    assert said in outcome.error


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("pickle", "ended with exit code 0"),  # one that runs code in whoever reads it
        ("flood", "said more than 64 MiB"),
        ("of another camera", "an answer to something else"),
        ("of another frame", "an answer to something else"),
        ("empty", "an answer to something else"),
        ("exhausting", "SIGXCPU"),
    ],
)
def test_a_child_that_was_taken_over_says_nothing_that_is_believed(
    how: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "MODULE", MISBEHAVING)
    given = Given(task(jpeg(astronaut())), "application/json", {}, how, 0.1)
    outcome = compute_apart(SETTINGS, "haar", given, timeout=20)
    assert isinstance(outcome, Failed)
    assert outcome.reason is FailureReason.CRASHED
    assert said in outcome.error


def test_what_a_child_says_of_a_failure_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "MODULE", MISBEHAVING)
    outcome = compute_apart(SETTINGS, "haar", Given(b"x", None, {}, "wordy", 0.1))
    assert isinstance(outcome, Failed)
    assert len(outcome.error) == 1_000


def test_a_child_knows_no_secret_and_is_confined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMQP_URL", "amqp://u:hunter2@h/")
    monkeypatch.setenv("GATEWAY_TOKEN", "hunter2")
    monkeypatch.setattr(isolation, "MODULE", MISBEHAVING)
    outcome = compute_apart(SETTINGS, "haar", Given(b"x", None, {}, "telling", 0.1))
    assert isinstance(outcome, Failed)
    assert "PATH=" in outcome.error
    assert "hunter2" not in outcome.error


def test_memory_that_a_picture_takes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "MODULE", MISBEHAVING)
    outcome = compute_apart(SETTINGS, "haar", Given(b"x", None, {}, "greedy", 0.1))
    assert isinstance(outcome, Failed)
    assert outcome.error == "MemoryError"
