"""Virtual hosts of the suite's RabbitMQ, made many at once."""

from collections.abc import Iterator
from itertools import count

from cli.rabbitmq import USER, RabbitMQNode

AT_ONCE = 16
"""One more costs the node 10 to 20 ms, and 100 ms when it is deleted with the queues that a test declared in it."""

MAKE = """
[rabbit_vhost:delete(Name, <<"suite">>) || Name <- [{used}]],
[begin
    Name = iolist_to_binary(io_lib:format("test-~b", [Number])),
    rabbit_vhost:add(Name, <<"suite">>),
    rabbit_auth_backend_internal:set_permissions(
        <<"{user}">>, Name, <<".*">>, <<".*">>, <<".*">>, <<"suite">>)
end || Number <- lists:seq({first}, {last})].
"""


class VirtualHosts:
    """Fresh virtual hosts of one node, each handed out once. Those that are given back are deleted with the next dozen:
    eleven quorum queues each, which wake up every few seconds."""

    def __init__(self, node: RabbitMQNode) -> None:
        self._node = node
        self._fresh = self._made()
        self._used: list[str] = []

    def take(self) -> str:
        """The URL of a virtual host that nobody has used, where the node's user may do everything."""
        return f"{self._node.amqp_url}{next(self._fresh)}"

    def give_back(self, url: str) -> None:
        """Nobody uses this virtual host any more."""
        self._used.append(url.rpartition("/")[2])

    def _made(self) -> Iterator[str]:
        for first in count(1, AT_ONCE):
            last = first + AT_ONCE - 1
            used, self._used = ", ".join(f'<<"{name}">>' for name in self._used), []
            self._node.ctl("eval", MAKE.format(user=USER, first=first, last=last, used=used))
            for number in range(first, last + 1):
                yield f"test-{number}"
