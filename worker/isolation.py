"""Computing in a process that may die of it, and can harm nobody else.

A frame that comes again has perhaps killed the worker that had it, and a model that somebody else made may do anything.
Each has a child of its own (worker.child): started afresh, confined and thrown away, it kills one worker or none.
"""

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass

import msgspec
from msgspec import UNSET

from contract.errors import InvalidTask
from contract.failures import FailureReason
from contract.result import Result
from contract.task import parse_head
from runtime.confinement import bare
from worker.models import ModelEntry
from worker.processor import Computed, Expired, Failed, Given, Processed
from worker.sender_rules import renamed
from worker.settings import CPU, WorkerSettings

MODULE = "worker.child"
TIMEOUT_SECONDS = 30.0
TRIAL_SECONDS = 60.0
LARGEST = 64 * 1024 * 1024  # bytes of an answer: a task's picture, and what was found in it
MOST_WORDS = 1_000


@dataclass(frozen=True)
class Suspect:
    """A frame to compute, with the model of that specification unless its task names one itself."""

    settings: WorkerSettings
    model: str
    given: Given


@dataclass(frozen=True)
class Trial:
    """A model to load and to show a blank picture; `path` is its file."""

    settings: WorkerSettings
    entry: ModelEntry
    path: str


class ChildAnswer(msgspec.Struct, frozen=True):
    """A child's only words: what became of a suspect, or why a model does not load; all None if it does."""

    computed: Computed | None = None
    expired: Expired | None = None
    failed: Failed | None = None
    refused: str | None = None


_answers = msgspec.msgpack.Decoder(ChildAnswer)


class Unanswered(Exception):
    """A child died, or said nothing in time, or nothing that can be used."""


def compute_apart(
    settings: WorkerSettings, model: str, suspect: Given, *, timeout: float = TIMEOUT_SECONDS
) -> Processed:
    """Compute in a child, with the model of that specification unless the task names one itself.

    A child that dies, or says nothing for `timeout` seconds, is a failure `crashed`.
    """
    try:
        answer = _ask(Suspect(_without_secrets(settings), model, suspect), timeout)
    except Unanswered as error:
        return Failed(FailureReason.CRASHED, f"{error}, computed apart")
    if answer.failed is not None:
        return Failed(answer.failed.reason, answer.failed.error[:MOST_WORDS])
    outcome = answer.computed or answer.expired
    if outcome is None or not _answers_to(suspect, outcome.result, settings):
        return Failed(FailureReason.CRASHED, "an answer to something else, computed apart")
    return outcome


def try_model(
    settings: WorkerSettings, entry: ModelEntry, path: str, *, timeout: float = TRIAL_SECONDS
) -> str | None:
    """Load a model in a child, on the CPU, and show it a blank picture; returns why it cannot be used, or None."""
    settings = _without_secrets(settings).model_copy(update={"device": CPU, "batch": 1})
    try:
        answer = _ask(Trial(settings, entry, path), timeout)
    except Unanswered as error:
        return f"{error}, tried in a process of its own"
    except OSError as error:
        return f"no process can be started to try it: {error.strerror}"
    return None if answer.refused is None else answer.refused[:MOST_WORDS]


def _answers_to(suspect: Given, result: Result, settings: WorkerSettings) -> bool:
    """Whether a result is the frame's own: a child that was taken over must not speak for other cameras."""
    try:
        head = parse_head(
            suspect.body,
            content_type=suspect.content_type,
            headers=suspect.headers,
            message_id=suspect.message_id,
        )
        head = renamed(head, suspect.sender)
    except InvalidTask:
        return False
    sender = UNSET if suspect.sender is None else suspect.sender.name
    of = (result.camera_id, result.frame_id, result.original_timestamp, result.node_id, result.sender)
    return of == (head.camera_id, head.frame_id, head.timestamp, settings.node_id, sender)


def _without_secrets(settings: WorkerSettings) -> WorkerSettings:
    return settings.model_copy(update={"amqp_url": "", "traces_endpoint": ""})


def _ask(order: Suspect | Trial, timeout: float) -> ChildAnswer:
    """The answer of a child that is made for this order, and gone afterwards. Raises Unanswered."""
    deadline = time.monotonic() + timeout
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            child = subprocess.Popen(
                [sys.executable, "-m", MODULE],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                cwd="/",
                env=bare(os.environ, network=False),
            )
        try:
            ours.settimeout(timeout)
            ours.sendall(pickle.dumps(order))
            ours.shutdown(socket.SHUT_WR)
            # Never a pickle: whoever writes one runs code in the reader.
            return _answers.decode(_heard(ours, deadline))
        except TimeoutError:
            raise Unanswered(f"no answer within {timeout:.0f} s") from None
        except (EOFError, ConnectionError, msgspec.DecodeError):
            raise Unanswered(f"its process {_ended(child)}") from None
        finally:
            child.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(5)


def _heard(line: socket.socket, deadline: float) -> bytes:
    """All that the child says. Raises EOFError if it is nothing, Unanswered if it is more than LARGEST."""
    heard = bytearray()
    while True:
        line.settimeout(max(0.001, deadline - time.monotonic()))
        data = line.recv(1 << 20)
        heard += data
        if not data:
            break
        if len(heard) > LARGEST:
            raise Unanswered(f"its process said more than {LARGEST >> 20} MiB")
    if not heard:
        raise EOFError
    return bytes(heard)


def _ended(child: "subprocess.Popen[bytes]") -> str:
    try:
        code = child.wait(5)
    except subprocess.TimeoutExpired:
        return "said nothing that can be understood"
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
