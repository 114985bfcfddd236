"""The pure parts of the broker package."""

import pika
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.backoff import compute_backoff
from broker.declare import mismatch
from broker.errors import InvalidUrl
from broker.urls import connection_parameters, redact, split_urls


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_backoff_grows_to_its_cap_and_never_reaches_zero(attempt: int, jitter: float) -> None:
    delay = compute_backoff(attempt, base=0.2, cap=10, jitter=jitter)
    assert 0.1 <= delay <= 10
    assert delay <= compute_backoff(attempt + 1, base=0.2, cap=10, jitter=jitter)


def test_urls_are_split_and_shown_without_credentials() -> None:
    urls = split_urls("amqp://u:secret@one:5672/, amqps://u:secret@two/vh")
    assert urls == ["amqp://u:secret@one:5672/", "amqps://u:secret@two/vh"]
    assert [redact(url) for url in urls] == ["amqp://one:5672/", "amqps://two/vh"]


@pytest.mark.parametrize(
    "text", ["", " , ", "http://host", "host:5672", "amqp://h:port/", "amqp://u:s3cret@h:x/"]
)
def test_a_wrong_url_says_what_is_expected_and_never_the_password(text: str) -> None:
    with pytest.raises(InvalidUrl) as caught:
        split_urls(text)
    assert "amqp://" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_heartbeat_and_user_timeout_notice_a_dead_peer() -> None:
    parameters = connection_parameters("amqp://u:p@host/", name="n")
    assert parameters.heartbeat == 4
    assert parameters.tcp_options["TCP_USER_TIMEOUT"] == 20_000


def test_a_mismatch_names_the_queue_and_the_argument() -> None:
    reason = pika.exceptions.ChannelClosedByBroker(
        406,
        "PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'frame_queue' in vhost '/': "
        "received the value '5000' of type 'signedint' but current is none",
    )
    sentence = mismatch(reason)
    assert "'frame_queue'" in sentence
    assert "'x-max-length'" in sentence
    assert "'5000'" in sentence
