"""What a user agent runs on. Whatever it says is believed: it is what its sender wrote, and only counted."""

from collections import OrderedDict
from typing import get_args

from ua_parser import parse

from gateway.attendance_figures import Device

MAX_AGENT = 256
"""So much of a user agent is looked at, and kept."""
MAX_KNOWN = 4_096
NEW_AT_ONCE = 200
"""New ones are parsed at a time, 0.1 ms each; those of a flood beyond are `other`."""
MOBILE = frozenset({"iOS", "Android", "Windows Phone", "BlackBerry OS", "KaiOS", "Symbian OS"})
APPS = frozenset({"Mobile Safari UI/WKWebView", "Chrome Mobile WebView", "Android"})
"""Families that are an application's own window for web pages, and no browser."""


def device_of(agent: str) -> Device:
    """The class of a user agent's device. Takes about 0.1 ms."""
    said = parse(agent)
    system = said.os.family if said.os else ""
    family = said.user_agent.family if said.user_agent else ""
    if said.device and said.device.family == "Spider":
        return "bot"
    if agent.startswith("Mozilla/") and family not in APPS:
        if not system and not family:
            return "other"
        return "web_mobile" if system in MOBILE else "web_pc"
    if system == "iOS":
        return "ios"
    return "android" if system == "Android" else "other"


class Devices:
    """Remembers the classes of the agents seen last. For one thread at a time."""

    def __init__(self, known: int = MAX_KNOWN, new_at_once: int = NEW_AT_ONCE) -> None:
        self._limit = known
        self._new_at_once = new_at_once
        self._left = new_at_once
        self._known: OrderedDict[str, Device] = OrderedDict()

    def begin(self) -> None:
        """Begin a flush: as many new ones as ever may be parsed again."""
        self._left = self._new_at_once

    def of(self, agent: str, declared: str = "") -> Device:
        """The class that was declared, or that of the user agent."""
        for device in get_args(Device):
            if device == declared:
                known: Device = device
                return known
        found = self._known.get(agent)
        if found is not None:
            self._known.move_to_end(agent)
            return found
        if not agent or not self._left:
            return "other"
        self._left -= 1
        found = self._known[agent] = device_of(agent)
        if len(self._known) > self._limit:
            self._known.popitem(last=False)
        return found

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._known)
