"""Sentences that say why a connection could not be made, or was lost.

What pika and the operating system's libraries say may quote an address, and a mistyped one holds a part of a password:
it stays out of logs and of /readyz, which anybody may read. What RabbitMQ says is kept as far as it names objects.
"""

import re
import socket
import ssl
from typing import Any

from pika.exceptions import (
    AMQPHeartbeatTimeout,
    ConnectionClosedByBroker,
    IncompatibleProtocolError,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)

ACCESS_REFUSED, NOT_ALLOWED, INTERNAL_ERROR = 403, 530, 541
NO_MORE_KNOWN = "the connection ended"
WRONG_PASSWORD = "the broker refused the user name or password: check AMQP_URL"  # noqa: S105

_WHOSE = re.compile(r" (?:in vhost|for user) '[^']*'")
# pika keeps the broker's answer as text only
_QUOTED = re.compile(r"ConnectionClosedByBroker: \((\d+)\) (.*)")
_NAME = re.compile(r"[A-Z]+_[A-Z_]+")


def describe(error: Any) -> str:
    """One line that says what happened and, where it is known, what to do."""
    match error:
        case ConnectionClosedByBroker():
            return _closed(error.reply_code, str(error.reply_text))
        case ProbableAuthenticationError():
            return WRONG_PASSWORD
        case ProbableAccessDeniedError() if found := _QUOTED.search(str(error)):
            return _closed(int(found[1]), found[2])
        case AMQPHeartbeatTimeout():
            return "the broker has sent no heartbeat"
        case IncompatibleProtocolError():
            return "what answers there speaks no AMQP 0-9-1: check host and port in AMQP_URL"
        case socket.gaierror():
            return "the name of the host is not known: check AMQP_URL, or the DNS server"
        case ssl.SSLCertVerificationError():
            return f"the broker's certificate is not trusted ({error.verify_message})"
        case ssl.SSLError():
            return "TLS could not be agreed on: is the port one for TLS? amqps:// is with, amqp:// without"
        case TimeoutError():
            return "the broker has not answered in time"
        case OSError() if error.strerror:
            return error.strerror.lower()
    # pika wraps what happened in what it was doing: the innermost says it best.
    inner = (
        getattr(error, "exceptions", None)
        or getattr(error, "exception", None)
        or getattr(error, "args", None)
    )
    if isinstance(inner, list | tuple):
        inner = inner[-1] if inner else None
    if isinstance(inner, BaseException):
        return describe(inner)
    return f"{NO_MORE_KNOWN} ({type(error).__name__})"


def says_little(reason: str) -> bool:
    """Whether a reason only names what pika raised: what was known before it says more."""
    return reason.startswith(NO_MORE_KNOWN)


def refused(text: str) -> str:
    """Quote what the broker said when it refused something, without the names of user and virtual host."""
    return _WHOSE.sub("", text)


def _closed(code: int, text: str) -> str:
    """Explain RabbitMQ's code in the words of whoever set AMQP_URL."""
    name = _NAME.search(text)
    what = f"{code} {name[0]}" if name else str(code)
    if code == ACCESS_REFUSED:
        return WRONG_PASSWORD
    if code == INTERNAL_ERROR and text.endswith("is down"):
        return (
            f"the broker closed the connection ({what}): it has stopped this virtual host, whose queues it could not "
            "start; `framefleet queues repair` says why"
        )
    if code != NOT_ALLOWED:
        return f"the broker closed the connection ({what})"
    if "not found" in text:
        return f"the broker has no such virtual host: check what follows the host in AMQP_URL ({what})"
    if "access to vhost" in text:
        return f"the user has no rights in the virtual host: rabbitmqctl set_permissions gives them ({what})"
    if "limit" in text:
        return f"the broker allows this user or virtual host no further connection ({what})"
    return f"the broker does not allow this connection ({what})"
