"""Why a connection was lost, in words of ours."""

import socket
import ssl
from typing import Any

import pytest
from pika.adapters.utils.connection_workflow import (
    AMQPConnectionWorkflowFailed,
    AMQPConnectorSocketConnectError,
)
from pika.exceptions import (
    AMQPConnectionError,
    AMQPHeartbeatTimeout,
    ConnectionClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
    StreamLostError,
)

from broker.link import _Condition
from broker.reasons import describe, refused


def denied(text: str) -> ProbableAccessDeniedError:
    return ProbableAccessDeniedError(repr(ConnectionClosedByBroker(530, text)))


def wrapped(error: Exception) -> AMQPConnectionError:
    return AMQPConnectionError(AMQPConnectionWorkflowFailed([AMQPConnectorSocketConnectError(error)]))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            ConnectionClosedByBroker(403, "ACCESS_REFUSED - Login was refused"),
            "refused the user name or password",
        ),
        (ProbableAuthenticationError("x"), "refused the user name or password"),
        (
            denied("NOT_ALLOWED - vhost hunter2 not found"),
            "no such virtual host",
        ),
        (
            denied("NOT_ALLOWED - access to vhost '/' refused for user 'hunter2'"),
            "no rights in the virtual host",
        ),
        (
            denied(
                "NOT_ALLOWED - connection refused for user 'hunter2': user connection limit (0) is reached"
            ),
            "no further connection",
        ),
        (
            ConnectionClosedByBroker(320, "CONNECTION_FORCED - hunter2"),
            "closed the connection (320 CONNECTION_FORCED)",
        ),
        (ConnectionClosedByBroker(541, "INTERNAL_ERROR"), "(541 INTERNAL_ERROR)"),
        (
            ConnectionClosedByBroker(
                541,
                "INTERNAL_ERROR - access to vhost 'hunter2' refused for user 'hunter2': vhost 'hunter2' is down",
            ),
            "(541 INTERNAL_ERROR): it has stopped this virtual host",
        ),
        (
            wrapped(ConnectionRefusedError(111, "Connection refused")),
            "connection refused",
        ),
        (socket.gaierror(-2, "hunter2: Name or service not known"), "the name of the host is not known"),
        (ssl.SSLError(1, "hunter2"), "amqps:// is with, amqp:// without"),
        (TimeoutError("hunter2"), "not answered in time"),
        (AMQPHeartbeatTimeout("hunter2"), "no heartbeat"),
        (StreamLostError("hunter2"), "the connection ended (StreamLostError)"),
        (RuntimeError("cannot connect to amqp://u:hunter2@host"), "the connection ended (RuntimeError)"),
        (None, "the connection ended"),
    ],
)
def test_they_say_what_to_do_and_quote_no_library(error: Any, words: str) -> None:
    assert words in describe(error)
    assert "hunter2" not in describe(error)


def test_a_reason_is_kept_while_what_follows_says_less() -> None:
    condition = _Condition()
    condition.changed("ready", "")
    condition.changed("lost", describe(AMQPHeartbeatTimeout("t")))
    for _ in range(2):
        condition.changed("connecting", "")
        condition.changed("lost", describe(StreamLostError("t")))
    assert str(condition) == "the connection to the broker is lost (the broker has sent no heartbeat)"
    condition.changed("connecting", "")
    condition.changed("lost", describe(ConnectionRefusedError(111, "Connection refused")))
    assert str(condition) == "the connection to the broker is lost (connection refused)"
    condition.changed("ready", "")
    condition.changed("lost", describe(StreamLostError("t")))
    assert "the connection ended (StreamLostError)" in str(condition)


def test_a_refusal_names_the_object_and_not_the_user() -> None:
    text = "ACCESS_REFUSED - access to queue 'frame_queue' in vhost '/secret' refused for user 'me'"
    assert refused(text) == "ACCESS_REFUSED - access to queue 'frame_queue' refused"
