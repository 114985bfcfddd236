"""What a user agent runs on. Whatever it says is believed: it is what its sender wrote, and only counted."""

from collections import OrderedDict
from functools import cache

from ua_parser import Parser
from ua_parser.loaders import load_lazy_builtins
from ua_parser.regex import Resolver

from gateway.attendance_figures import DEVICES, Device

MAX_AGENT = 256
"""So much of a user agent is looked at, and kept."""
MAX_KNOWN = 4_096
NEW_AT_ONCE = 200
"""New ones are parsed at a time, 0.1 ms each; those of a flood beyond are `other`."""
MOBILE = frozenset({"iOS", "Android", "Windows Phone", "BlackBerry OS", "KaiOS", "Symbian OS"})


@cache
def load_rules() -> Parser:
    """Compile ua-parser's rules for systems and bots: a quarter of a second, in which the process does nothing else.

    Those for each model of telephone and each version of a browser would take a second more, and tell nothing here.
    """
    _, systems, models = load_lazy_builtins()
    bots = [each for each in models if getattr(each, "family", "") == "Spider"]
    return Parser(Resolver(([], systems, bots)))


def device_of(agent: str) -> Device:
    """The class of a user agent's device. Takes less than 0.1 ms."""
    said = load_rules().parse(agent)
    system = said.os.family if said.os else ""
    if said.device:
        return "bot"
    if agent.startswith("Mozilla/") and not _is_own_window(agent, system):
        if not system:
            return "other"
        return "web_mobile" if system in MOBILE else "web_pc"
    if system == "iOS":
        return "ios"
    return "android" if system == "Android" else "other"


def _is_own_window(agent: str, system: str) -> bool:
    """Whether it is an application's own window for web pages, and no browser."""
    return (system == "iOS" and "Safari/" not in agent) or (system == "Android" and "; wv)" in agent)


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
        for device in DEVICES:
            if device == declared:
                return device
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
