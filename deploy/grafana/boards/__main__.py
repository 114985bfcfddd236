"""Writes deploy/grafana/dashboards anew: `python -m deploy.grafana.boards`."""

import json
from pathlib import Path
from typing import Any

from deploy.grafana.boards import broker, cameras, gateway, jobs, objectives, overview, workers

FOLDER = Path(__file__).resolve().parents[1] / "dashboards"
BOARDS = [each.BOARD for each in (overview, workers, cameras, broker, gateway, jobs, objectives)]


def text(board: dict[str, Any]) -> str:
    """A dashboard's file."""
    return json.dumps(board, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for board in BOARDS:
        (FOLDER / f"{board['uid']}.json").write_text(text(board))
