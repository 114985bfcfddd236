"""Where the senders are kept: in the data folder of the gateway of this checkout, or of this container."""

from collections.abc import Mapping
from pathlib import Path

from cli.errors import CannotReadSenders
from cli.layout import Layout
from cli.subcommands import IMAGE
from contract.senders import Sender

OWN_IMAGE = "gateway"


def senders_file(environment: Mapping[str, str], layout: Layout) -> Path:
    """Return the file. Raises CannotReadSenders in the image of another service."""
    image = environment.get(IMAGE)
    if image and image != OWN_IMAGE:
        raise CannotReadSenders(
            f"the senders are in the gateway's container, and this is {image}'s: docker compose exec gateway "
            "framefleet …"
        )
    from gateway.senders.file import FILE

    given = environment.get("GATEWAY_DATA_DIR", "").strip()
    return (Path(given) if given else layout.gateway) / FILE


def known_senders(environment: Mapping[str, str], layout: Layout) -> tuple[Sender, ...]:
    """Return the senders that there are. Raises CannotReadSenders."""
    file = senders_file(environment, layout)
    from gateway.errors import BrokenSenders
    from gateway.senders.file import read_senders

    try:
        return read_senders(file).senders
    except BrokenSenders as error:
        raise CannotReadSenders(str(error)) from None
    except OSError as error:
        raise CannotReadSenders(f"{file}: {error.strerror}") from None
