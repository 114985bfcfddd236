"""The sub-commands of `framefleet`: what each is for, where its code is, and which image can run it."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from cli.errors import NotHere

IMAGE = "FRAMEFLEET_IMAGE"
"""Set in our images: the name of the Compose service that the image is for."""


@dataclass(frozen=True)
class SubCommand:
    """A sub-command. Its `module` has `add(parser)` and `run(arguments)`, and is imported only when it is asked for.

    needs: packages that not every image has. elsewhere: how Compose's users run it, `framefleet …` following.
    """

    name: str
    help: str
    module: str
    needs: tuple[str, ...] = ()
    elsewhere: str = ""


EXEC = "docker compose exec"
SUB_COMMANDS = (
    SubCommand("up", "run the whole system on this machine until Ctrl-C", "cli.up"),
    SubCommand("down", "stop the system that runs in this checkout", "cli.down"),
    SubCommand("scale", "more workers, or fewer, while the system of this checkout runs", "cli.scale"),
    SubCommand(
        "link", "a new link that signs a browser in, once", "cli.link", ("gateway",), f"{EXEC} gateway"
    ),
    SubCommand(
        "tokens",
        "tokens of viewers and operators: add, list, revoke",
        "cli.tokens",
        ("gateway",),
        f"{EXEC} gateway",
    ),
    SubCommand(
        "senders",
        "who may send frames: add, list, set, remove",
        "cli.senders",
        ("gateway",),
        f"{EXEC} gateway",
    ),
    SubCommand(
        "why",
        "what became of a frame, or why it was not computed",
        "cli.why",
        ("gateway",),
        f"{EXEC} gateway",
    ),
    SubCommand(
        "nodes",
        "who works: list, drain, undrain",
        "cli.nodes",
        ("gateway",),
        f"{EXEC} gateway",
    ),
    SubCommand(
        "batch",
        "compute pictures: folders, archives, lists",
        "cli.batch",
        ("av", "cachetools", "scenedetect"),
        "docker compose run --rm --no-deps -v FOLDER:FOLDER gateway",
    ),
    SubCommand(
        "remote",
        "the remote lane and its money: status, pause, resume, raise",
        "cli.remote",
        ("gateway",),
        f"{EXEC} gateway",
    ),
    SubCommand("dlq", "dead letters: list, show, save-image, replay, purge", "cli.dlq"),
    SubCommand("queues", "the broker's queues: check, upgrade, repair", "cli.queues"),
    SubCommand(
        "cameras",
        "a file of cameras: check it for mistakes",
        "cli.cameras",
        ("producer",),
        f"{EXEC} producer",
    ),
    SubCommand(
        "models", "detection models: list, fetch, verify", "cli.models", ("worker",), f"{EXEC} cv-worker"
    ),
    SubCommand(
        "doctor",
        "look at everything: what is wrong, and what to do",
        "cli.doctor",
        ("gateway",),
        f"{EXEC} gateway",
    ),
    SubCommand(
        "plan",
        "measure this machine and say what so many cameras need",
        "cli.plan",
        ("producer", "worker", "cv2", "aiohttp"),
        "docker compose run --rm --no-deps producer",
    ),
)
IN_COMPOSE = {
    "up": "docker compose up",
    "down": "docker compose down",
    "scale": "docker compose up -d --scale cv-worker=N",
}
"""The Docker commands that do what these sub-commands do in a checkout."""


def check_place(command: SubCommand, argv: Sequence[str], environment: Mapping[str, str]) -> None:
    """Raise NotHere if this image, or this installation, does not have what the sub-command needs."""
    image = environment.get(IMAGE)
    if image and command.name in IN_COMPOSE:
        raise NotHere(
            f"framefleet {command.name} is for a checkout without containers, and this is the {image} image. On the "
            f"machine that runs Docker: {IN_COMPOSE[command.name]}"
        )
    missing = [package for package in command.needs if find_spec(package) is None]
    if not missing:
        return
    if image:
        service = command.elsewhere.split()[-1]
        raise NotHere(
            f"framefleet {command.name} is in the {service} image, and this is {image}'s: {command.elsewhere} "
            f"framefleet {shlex.join(argv)}"
        )
    raise NotHere(
        f"framefleet {command.name} needs {', '.join(missing)}, which this Python does not have: in a checkout "
        "`.venv/bin/framefleet` has everything, once `make up` has run"
    )


def this_image() -> str | None:
    """The Compose service whose image this is; None outside of our images."""
    return os.environ.get(IMAGE) or None
