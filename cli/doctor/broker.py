"""The area `broker`: who answers at each of its addresses, its alarms and its limits."""

import asyncio

from broker import BrokerError, redact
from broker.session import session
from cli.console import size
from cli.doctor.errors import NoAnswer
from cli.doctor.exposition import Samples, broker_pages, first, read_page
from cli.doctor.finding import Findings
from cli.doctor.http import ANSWER_SECONDS, shown, side_by_side
from cli.doctor.place import Place
from cli.doctor.stranger import stranger

CLIENT = "framefleet doctor"
OLDEST = (3, 10)
TIGHT = 0.8
"""Share of a limit from which on it is told."""
PLUGIN = "if it runs: rabbitmq-plugins enable rabbitmq_prometheus; without it nobody sees its alarms, limits and queues"
OTHER = "is it RabbitMQ's port? Another program may have it; restart a broker that hangs: nothing confirmed is lost"
ALARMS = {
    "rabbitmq_alarms_memory_used_watermark": (
        "memory alarm",
        "it is out of memory and takes no frames; nothing is lost",
        "rabbitmq-diagnostics memory_breakdown; give it more memory, or find out why a queue is long",
    ),
    "rabbitmq_alarms_free_disk_space_watermark": (
        "disk alarm",
        "its disk has less room than its limit, and it takes no frames; nothing is lost",
        "make room where it keeps its data; all goes on by itself",
    ),
    "rabbitmq_alarms_file_descriptor_limit": (
        "file alarm",
        "it has no file descriptor left",
        "raise its limit of open files (LimitNOFILE= or ulimits:), and look for clients that connect again and again",
    ),
}
USES = (
    ("files", "rabbitmq_process_open_fds", "rabbitmq_process_max_fds", "open files"),
    ("memory", "rabbitmq_process_resident_memory_bytes", "rabbitmq_resident_memory_limit_bytes", "memory"),
    ("erlang", "rabbitmq_erlang_processes_used", "rabbitmq_erlang_processes_limit", "Erlang processes"),
)
"""What is used, its limit, and what it is."""


def check(place: Place, findings: Findings) -> None:
    """Note what each address says in AMQP, and what each broker's metrics say."""
    if not place.urls:
        if place.supervisor is not None or not place.native or place.no_urls.startswith("AMQP_URL"):
            findings.error(
                "address", place.no_urls, "set AMQP_URL=amqp://user:password@host:5672/, or start one"
            )
        return
    asyncio.run(_connect_all(place, findings))
    for page, read in side_by_side(lambda page: read_page(f"{page}/metrics"), broker_pages(place)):
        if isinstance(read, NoAnswer):
            findings.warning("metrics", f"{shown(page)}/metrics {read}", PLUGIN)
        else:
            judge(shown(page), read, findings)


async def _connect_all(place: Place, findings: Findings) -> None:
    await asyncio.gather(*(_connect(url, findings) for url in place.urls))


async def _connect(url: str, findings: Findings) -> None:
    where = redact(url)
    if strange := await stranger(url):
        findings.error("connection", f"{where}: {strange}", OTHER)
        return
    try:
        async with session([url], CLIENT, timeout=ANSWER_SECONDS) as asking:
            said = asking.server
    except BrokerError as error:
        why = str(error).removeprefix(f"cannot connect to RabbitMQ at {where}: ")
        findings.error("connection", f"{where}: {why}", _remedy(why))
        return
    version = said.get("version", "")
    name = f"{said.get('product', 'a broker')} {version}"
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if said.get("product") != "RabbitMQ":
        findings.warning("version", f"{where} is {name}", "use RabbitMQ 3.10 or 4: nothing else was tried")
    elif numbers < OLDEST:
        findings.error("version", f"{where} is {name}", "use RabbitMQ 3.10 or newer")
    else:
        findings.ok("connection", f"{where} is {name}, cluster {said.get('cluster_name', 'without a name')}")


def _remedy(why: str) -> str:
    if "check" in why or "rabbitmqctl" in why:
        return "as it says; natively .run/endpoints.json has the URL with the password"
    return "start RabbitMQ (docker compose up -d rabbitmq, or `make up`); check host and port in AMQP_URL; read its log"


def judge(where: str, samples: Samples, findings: Findings) -> None:
    """Note alarms and limits that RabbitMQ's metrics show."""
    if not any(name.startswith("rabbitmq_") for name in samples):
        findings.warning(
            "metrics", f"{where}/metrics are not RabbitMQ's: another program listens there", PLUGIN
        )
        return
    for metric, (name, found, todo) in ALARMS.items():
        if first(samples, metric):
            findings.error(name, f"{where}: {found}{_room(samples) if 'disk' in name else ''}", todo)
    if not any(first(samples, metric) for metric in ALARMS):
        findings.ok("alarms", f"{where}: none{_room(samples)}")
    _near_its_disk_limit(where, samples, findings)
    for name, used, limit, what in USES:
        have, most = first(samples, used), first(samples, limit)
        if have is None or not most:
            continue
        shown_use = f"{where}: {have / most:.0%} of its limit of {what}"
        if have / most > TIGHT:
            findings.warning(name, shown_use, f"raise the limit of {what}, or find out what uses it up")
        else:
            findings.ok(name, shown_use)


def _near_its_disk_limit(where: str, samples: Samples, findings: Findings) -> None:
    free = first(samples, "rabbitmq_disk_space_available_bytes")
    limit = first(samples, "rabbitmq_disk_space_available_limit_bytes")
    if free is None or limit is None or free <= limit:
        return
    if free < 2 * limit:
        findings.warning(
            "disk",
            f"{where}: {size(int(free))} are free, and below {size(int(limit))} it takes no frames",
            "make room where it keeps its data",
        )


def _room(samples: Samples) -> str:
    free = first(samples, "rabbitmq_disk_space_available_bytes")
    limit = first(samples, "rabbitmq_disk_space_available_limit_bytes")
    if free is None or limit is None:
        return ""
    return f" ({size(int(free))} of disk free, its limit is {size(int(limit))})"
