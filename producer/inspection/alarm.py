"""Alarms, which turn single looks into a state that does not flap, and baselines."""

import math


class Alarm:
    """On once every look for `rise` seconds was suspect, off once none was for `fall` seconds.

    Either takes at least `looks` looks, so that a slow camera is not judged by one picture. `now` is monotonic seconds.
    """

    def __init__(self, rise: float, fall: float, *, looks: int = 3) -> None:
        self.on = False
        self.suspect = False  # the last look
        self._rise, self._fall, self._looks = rise, fall, looks
        self._since = 0.0  # of the looks that speak against the present state
        self._against = 0

    def look(self, suspect: bool, now: float) -> bool:
        """Take in one look; returns whether the alarm is on."""
        self.suspect = suspect
        if suspect == self.on:
            self._against = 0
            return self.on
        if not self._against:
            self._since = now
        self._against += 1
        if self._against >= self._looks and now - self._since >= (self._fall if self.on else self._rise):
            self.on = suspect
            self._against = 0
        return self.on

    def restart(self) -> None:
        """The camera was away: what was seen before does not add up with what comes."""
        self._against = 0


class Baseline:
    """The usual value of a camera's positive measure: its geometric mean over about `memory` seconds.

    None until it has learned from `enough` looks.
    """

    def __init__(self, memory: float, *, enough: int = 10) -> None:
        self._memory = memory
        self._enough = enough
        self._log = 0.0
        self._count = 0
        self._at = 0.0

    @property
    def value(self) -> float | None:
        return math.exp(self._log) if self._count >= self._enough else None

    def learn(self, value: float, now: float) -> None:
        """Take in a value that counts as usual: the plain mean of the first ones, then one that forgets."""
        self._count += 1
        weight = max(1 / self._count, 1 - math.exp((self._at - now) / self._memory))
        self._log += weight * (math.log(max(value, 1e-9)) - self._log)
        self._at = now
