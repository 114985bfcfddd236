"""A history to search: a real gateway that records what a staged worker says was seen in the last three days."""

import json
import time
import urllib.parse
import urllib.request
from typing import Any

from contract.status import CameraLabels
from tests.helpers.eventually import eventually
from tests.helpers.gateway import TOKEN
from tests.helpers.staged import Staged

EVENTS = 120
HALF_HOUR = 1_800.0
HARBOUR = CameraLabels(name="Gate 3, left", group="harbour")
CAMERAS = ("gate-3", "yard", "roof")


class Archive:
    """`EVENTS` events, half an hour apart, the newest an hour old. Number n is of camera n % 3, of n % 4 + 1 faces."""

    def __init__(self, address: str, broker: str) -> None:
        self.address = address
        self.staged = Staged(broker)
        now = time.time()
        labelled = [self.staged.camera("gate-3", labels=HARBOUR)]
        self.staged.serving["p"] = [*labelled, *(self.staged.camera(each) for each in CAMERAS[1:])]
        eventually("the cameras are known", lambda: self.get("/api/cameras")["total"] == len(CAMERAS), 20)
        for number in range(EVENTS):
            when = now - 2 * HALF_HOUR - number * HALF_HOUR
            faces, confidence = number % 4 + 1, 0.5 + (number % 5) / 10
            self.staged.seen(CAMERAS[number % 3], when, faces, confidence)
        eventually("all is recorded", lambda: len(self.events(limit=500)) == EVENTS, 20)

    def events(self, **parameters: Any) -> list[dict[str, Any]]:
        """A page of the gateway's own answer."""
        found: list[dict[str, Any]] = self.get(f"/api/events?{urllib.parse.urlencode(parameters)}")["items"]
        return found

    def get(self, path: str) -> Any:
        """An answer to the operator."""
        request = urllib.request.Request(  # noqa: S310
            self.address + path, headers={"Authorization": f"Bearer {TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return json.loads(answer.read())
