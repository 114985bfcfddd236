"""The only package that imports an AMQP client: connect, declare, publish confirmed, consume, settle."""

from broker.connection import Connection
from broker.consumer import Consumer, Delivery
from broker.counts import LinkCounts
from broker.depth import QueueDepth
from broker.errors import BrokerError, InvalidUrl
from broker.faults import QueueFaults
from broker.link import Link, from_body
from broker.loops import AsyncioLoop, ThreadLoop
from broker.publisher import Message, Outcome, Publisher
from broker.role import Role
from broker.urls import redact, split_urls

__all__ = [
    "AsyncioLoop",
    "BrokerError",
    "Connection",
    "Consumer",
    "Delivery",
    "InvalidUrl",
    "Link",
    "LinkCounts",
    "Message",
    "Outcome",
    "Publisher",
    "QueueDepth",
    "QueueFaults",
    "Role",
    "ThreadLoop",
    "from_body",
    "redact",
    "split_urls",
]
