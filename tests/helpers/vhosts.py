"""Virtual hosts of the suite's RabbitMQ, made many at once: each command of rabbitmqctl starts an Erlang machine."""

from collections.abc import Iterator
from itertools import count

from cli.rabbitmq import USER, RabbitMQNode

AT_ONCE = 16
"""One more costs the node 10 to 20 ms, one more command the machine half a second of a core."""

MAKE = """
[begin
    Name = iolist_to_binary(io_lib:format("test-~b", [Number])),
    rabbit_vhost:add(Name, <<"suite">>),
    rabbit_auth_backend_internal:set_permissions(
        <<"{user}">>, Name, <<".*">>, <<".*">>, <<".*">>, <<"suite">>)
end || Number <- lists:seq({first}, {last})].
"""


class VirtualHosts:
    """Fresh virtual hosts of one node, each handed out once. Used ones go with the node."""

    def __init__(self, node: RabbitMQNode) -> None:
        self._node = node
        self._fresh = self._made()

    def take(self) -> str:
        """The URL of a virtual host that nobody has used, where the node's user may do everything."""
        return f"{self._node.amqp_url}{next(self._fresh)}"

    def _made(self) -> Iterator[str]:
        for first in count(1, AT_ONCE):
            last = first + AT_ONCE - 1
            self._node.ctl("eval", MAKE.format(user=USER, first=first, last=last))
            for number in range(first, last + 1):
                yield f"test-{number}"
