"""Senders as text: a table of them, what one may, and what its user pastes."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cli.console import table
from cli.dlq.tables import ago
from contract.senders import Sender

COLUMNS = (
    "NAME",
    "LANES",
    "SHARE",
    "CAMERAS",
    "REFUSED",
    "FRAMES",
    "LAST",
    "WAITING",
    "DEAD LETTERS",
    "OWN NAMES",
)
RIGHT = ("SHARE", "REFUSED", "FRAMES", "WAITING", "DEAD LETTERS")


def listing(
    senders: Sequence[Sender], told: Mapping[str, Mapping[str, Any]], *, as_json: bool, now: float
) -> str:
    """Return a table of senders, or JSON; `told` is what the gateway knows of each, if it answers.

    In the table `?` is what the gateway does not know either, `down` a queue that RabbitMQ cannot use.
    """
    if as_json:
        items = [
            {name: getattr(each, name) for name in each.__struct_fields__} | {"figures": told.get(each.name)}
            for each in senders
        ]
        return msgspec.json.format(msgspec.json.encode({"items": items}), indent=2).decode()
    return table(COLUMNS, [_row(each, told.get(each.name, {}), now) for each in senders], right=RIGHT)


def shown(sender: Sender) -> list[str]:
    """Return what a sender may, a line for each thing."""
    own = f"{', '.join(sender.cameras)}; others as " if sender.cameras else ""
    cameras = f"{own}{sender.name}-CAMERA, without a name {sender.name}"
    return [
        f"sender      {sender.name}",
        f"lanes       {', '.join(sender.lanes)}",
        f"share       {sender.share:g} of the workers' time, while others want it too",
        f"cameras     {cameras}; at most {sender.max_cameras:,} in a day, at each worker",
        f"pictures    at most {sender.max_pixels:,} pixels",
        f"models      {', '.join(sender.models) or 'none of its own choice'}",
    ]


def instructions(sender: Sender, url: str, *, in_compose: bool) -> str:
    """Return what a sender's user needs to know, with a program to paste; `url` has the password in it."""
    lines = [
        *shown(sender),
        f"URL         {url}",
        f"exchange    {sender.exchange}",
        *(f"routing key {sender.queue(lane)}" + f" ({lane})" for lane in sender.lanes),
        f"replies     reply_to amq.rabbitmq.reply-to, or {sender.reply_queue.name}",
    ]
    if in_compose:
        lines.append(
            "            (on the machine that runs Docker, at its AMQP_PORT; in the project's network rabbitmq:5672)"
        )
    return "\n".join([*lines, "", *program(sender, url)])


def program(sender: Sender, url: str) -> list[str]:
    """Return a program that sends one picture and is told whether the broker has it."""
    return [
        "import base64, json, pathlib, time, pika",
        f'channel = pika.BlockingConnection(pika.URLParameters("{url}")).channel()',
        "channel.confirm_delivery()  # raises if the queue is full, or there is none",
        'picture = base64.b64encode(pathlib.Path("face.jpg").read_bytes()).decode()',
        f'channel.basic_publish("{sender.exchange}", "{sender.queue(sender.lanes[0])}",'
        ' json.dumps({"frame": picture, "timestamp": time.time()}),'
        ' pika.BasicProperties(content_type="application/json", delivery_mode=2), mandatory=True)',
    ]


def _row(sender: Sender, told: Mapping[str, Any], now: float) -> tuple[str, ...]:
    def figure(name: str) -> str:
        value = told.get(name)
        return f"{value:,}" if value is not None else "?" if told else "-"

    def depth(name: str, queues: Sequence[str]) -> str:
        return "down" if set(queues) & set(told.get("down", ())) else figure(name)

    return (
        sender.name,
        ",".join(sender.lanes),
        f"{sender.share:g}",
        f"{figure('cameras_seen')} of {sender.max_cameras:,}",
        figure("cameras_refused"),
        figure("frames"),
        ago(told.get("last_frame"), now),
        depth("waiting", [sender.queue(lane) for lane in sender.lanes]),
        depth("dead_letters", [sender.dead_letter_queue]),
        ",".join(sender.cameras) or "-",
    )
