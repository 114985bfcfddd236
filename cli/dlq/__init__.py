"""`framefleet dlq`: look at dead letters, save their pictures, replay or purge them."""

from cli.dlq.arguments import add
from cli.dlq.commands import run

__all__ = ["add", "run"]
