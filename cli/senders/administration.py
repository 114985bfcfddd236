"""A sender's user at the broker, its password, rights and limits: made and taken away by whoever may administer it.

A user may write to its sender's exchange and read its reply queue. It may declare nothing: a queue of its own could
dead-letter into that exchange, and so under a name that is not its own.
"""

import base64
import http.client
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, unquote, urlsplit

from cli.errors import NoManagement, RabbitMQError
from cli.layout import Layout
from cli.rabbitmq import rabbitmqctl
from cli.survivors import survivors
from contract.senders import Sender

CONNECTIONS, CHANNELS = 2, 4
MANAGEMENT_PORT = 15_672
ANSWER_SECONDS = 10.0
NOTHING = "^$"
NO_SUCH_USER = re.compile(r"no_such_user|does not exist")
"""What rabbitmqctl says of one, by the command and the version."""


@dataclass(frozen=True, slots=True)
class SenderAccount:
    """A sender's user in the virtual host of its queues."""

    sender: Sender
    vhost: str

    @property
    def name(self) -> str:
        return self.sender.name

    @property
    def rights(self) -> tuple[str, str, str]:
        """What it may configure, write to and read, as RabbitMQ's regular expressions."""
        write, read = (re.escape(name) for name in (self.sender.exchange, self.sender.reply_queue.name))
        return NOTHING, f"^{write}$", f"^{read}$"

    @property
    def limits(self) -> dict[str, int]:
        return {"max-connections": CONNECTIONS, "max-channels": CHANNELS}


class Administration(Protocol):
    """Whoever may make users. Every method raises RabbitMQError."""

    def rights(self, account: SenderAccount) -> Sequence[str] | None:
        """What the user of that name may do in the virtual host: nothing yet; None: there is no such user."""

    def make(self, account: SenderAccount, password: str, *, new: bool) -> None:
        """Make the user, or if it is not `new` give it this password.

        Its rights come last: they tell that all is done.
        """

    def take(self, account: SenderAccount) -> None:
        """Delete the user and end its connections; nothing happens if it is not there."""


class ByCtl:
    """By rabbitmqctl, of the private node of this checkout: its environment says where it is."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self._environment = environment
        self._folder = folder

    def rights(self, account: SenderAccount) -> Sequence[str] | None:
        try:
            found = json.loads(self._ctl("list_user_permissions", account.name, "--formatter", "json"))
        except RabbitMQError as error:
            if NO_SUCH_USER.search(str(error)):
                return None
            raise
        here = (each for each in found if each["vhost"] == account.vhost)
        return next(((each["configure"], each["write"], each["read"]) for each in here), ())

    def make(self, account: SenderAccount, password: str, *, new: bool) -> None:
        self._ctl("add_user" if new else "change_password", account.name, secret=password)
        self._ctl("set_user_limits", account.name, json.dumps(account.limits))
        self._ctl("set_permissions", "-p", account.vhost, account.name, *account.rights)

    def take(self, account: SenderAccount) -> None:
        try:
            self._ctl("delete_user", account.name)
        except RabbitMQError as error:
            if not NO_SUCH_USER.search(str(error)):
                raise
        self._ctl("close_all_user_connections", account.name, "the sender was removed")

    def _ctl(self, *arguments: str, secret: str = "") -> str:
        return rabbitmqctl(self._environment, self._folder, *arguments, secret=secret)


class ByManagement:
    """By the management plug-in's HTTP API, as a user that may administer."""

    def __init__(self, host: str, user: str, password: str, port: int = MANAGEMENT_PORT) -> None:
        self._host = host
        self._port = port
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}

    def check(self) -> None:
        """Raise NoManagement unless it answers and this user may administer."""
        try:
            tags = self._ask("GET", "whoami")["tags"]
        except RabbitMQError as error:
            raise NoManagement(str(error)) from None
        if "administrator" not in (tags.split(",") if isinstance(tags, str) else tags):
            raise NoManagement("the services' user is not an administrator of the broker")

    def rights(self, account: SenderAccount) -> Sequence[str] | None:
        if self._ask("GET", f"users/{account.name}") is None:
            return None
        found = self._ask("GET", f"permissions/{quote(account.vhost, safe='')}/{account.name}")
        return () if found is None else (found["configure"], found["write"], found["read"])

    def make(self, account: SenderAccount, password: str, *, new: bool) -> None:  # noqa: ARG002  # it is the same to it
        self._ask("PUT", f"users/{account.name}", {"password": password, "tags": ""})
        for limit, value in account.limits.items():
            self._ask("PUT", f"user-limits/{account.name}/{limit}", {"value": value})
        configure, write, read = account.rights
        place = f"permissions/{quote(account.vhost, safe='')}/{account.name}"
        self._ask("PUT", place, {"configure": configure, "write": write, "read": read})

    def take(self, account: SenderAccount) -> None:
        if self._ask("GET", f"users/{account.name}") is None:
            return
        self._ask("DELETE", f"users/{account.name}")  # with it go its rights, limits and connections

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Return the answer; None where there is no such thing. Raises RabbitMQError."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=ANSWER_SECONDS)
        where = f"the management API of RabbitMQ at {self._host}:{self._port}"
        try:
            connection.request(
                method, f"/api/{path}", None if body is None else json.dumps(body), self._headers
            )
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise RabbitMQError(f"{where} does not answer: {error}") from None
        finally:
            connection.close()
        if answer.status == 404:
            return None
        if answer.status >= 300:
            raise RabbitMQError(f"{where} refused {method} {path}: {answer.status} {_reason(said)}")
        return json.loads(said) if said else None


def administration(urls: Sequence[str], layout: Layout) -> Administration:
    """Return who may make users at the broker of `urls`. Raises NoManagement: nobody here."""
    if environment := _private_node(urls, layout):
        return ByCtl(environment, layout.rabbitmq)
    troubles = []
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme != "amqp" or not parts.hostname:
            troubles.append("a password is not sent there without TLS")
            continue
        there = ByManagement(
            parts.hostname, unquote(parts.username or "guest"), unquote(parts.password or "guest")
        )
        try:
            there.check()
        except NoManagement as error:
            troubles.append(str(error))
        else:
            return there
    raise NoManagement("; ".join(dict.fromkeys(troubles)))


def vhost_of(url: str) -> str:
    """Return the virtual host that an AMQP URL names."""
    return unquote(urlsplit(url).path[1:]) or "/"


def commands(account: SenderAccount, password: str) -> list[str]:
    """Return what to run on the broker's machine where nobody here may: it makes the user."""
    words = [
        ["add_user", account.name, password],
        ["set_user_limits", account.name, json.dumps(account.limits)],
        ["set_permissions", "-p", account.vhost, account.name, *account.rights],
    ]
    return [shlex.join(["rabbitmqctl", *each]) for each in words]


def commands_to_take(account: SenderAccount) -> list[str]:
    """Return what to run on the broker's machine where nobody here may: it deletes the user."""
    words = [
        ["delete_user", account.name],
        ["close_all_user_connections", account.name, "the sender was removed"],
    ]
    return [shlex.join(["rabbitmqctl", *each]) for each in words]


def _private_node(urls: Sequence[str], layout: Layout) -> Mapping[str, str] | None:
    """Return the environment of the node that runs in this checkout, if the URL is its."""
    import psutil

    try:
        password = (layout.rabbitmq / "password").read_text().strip()
    except OSError:
        return None
    if urlsplit(urls[0]).password != password:
        return None
    node = next((each for each in survivors(layout.processes, layout.root) if each.name == "rabbitmq"), None)
    if node is None:
        return None
    try:
        return psutil.Process(node.pid).environ()
    except psutil.Error:
        return None


def _reason(said: bytes) -> str:
    try:
        return str(json.loads(said)["reason"])
    except (ValueError, KeyError, TypeError):
        return ""
