"""Whose pictures are shown when viewers want those of more cameras than the gateway may watch. Pure but for the hub.

Only known cameras count. While there is room for all of them everybody has what they want. Else the tokens take turns:
each gets the next camera that it wants and nobody has; within a token its sessions do the same, and within a session
its viewers. What others watch anyway costs no turn. So each of N tokens sees at least the Nth part of what may be
watched, or all that it wants, whatever the others ask for; and a viewer is told what it goes without, and why.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from gateway.live.hub import Hub
from gateway.live.viewer import Viewer, Withheld
from gateway.security.holders import levels

ANEW_SECONDS = 1.0
"""So often at most it is shared out anew; meanwhile only cameras that nobody wants any more are left out."""


def in_turns(lists: Iterable[Iterable[str]]) -> Iterator[str]:
    """Every name once; the lists take turns, and each gives its next one that no other has given."""
    given: set[str] = set()
    turns = [iter(each) for each in lists]
    while turns:
        going_on = []
        for names in turns:
            name = next((name for name in names if name not in given), None)
            if name is not None:
                given.add(name)
                going_on.append(names)
                yield name
        turns = going_on


class Allotment:
    """Shares out `places` among the viewers of `hub`. `known(camera_id)`: whether there is such a camera.

    `on_withheld(viewer, count)` hears of viewers that go without so many pictures more than before.
    """

    def __init__(
        self,
        hub: Hub,
        known: Callable[[str], bool],
        on_withheld: Callable[[Viewer, int], None],
        places: int,
    ) -> None:
        self._hub = hub
        self._known = known
        self._on_withheld = on_withheld
        self._places = places
        self._granted: frozenset[str] = frozenset()
        self._shared = float("-inf")
        self._withholding = False

    def granted(self, now: float) -> frozenset[str]:
        """The cameras to watch, at most `places`. `now` is monotonic seconds."""
        wanted = self._hub.watched
        known = frozenset(filter(self._known, wanted))
        if len(known) <= self._places:
            self._granted = known
        elif now - self._shared >= ANEW_SECONDS:
            self._shared = now
            self._granted = self._share_out(known)
        else:
            self._granted &= known
            return self._granted
        if self._withholding or len(self._granted) < len(wanted):
            self._tell(wanted - known, known - self._granted)
        return self._granted

    def _share_out(self, known: frozenset[str]) -> frozenset[str]:
        wishes: defaultdict[str, defaultdict[str, list[Iterator[str]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for viewer in self._hub.watching():
            token, session = levels(viewer.holders)
            wishes[token][session].append(self._wishes(viewer, known))
        order = in_turns(in_turns(map(in_turns, sessions.values())) for sessions in wishes.values())
        return frozenset(name for name, _ in zip(order, range(self._places), strict=False))

    def _wishes(self, viewer: Viewer, known: frozenset[str]) -> Iterator[str]:
        """A viewer's known cameras, those first that it sees already: pictures do not come and go without need."""
        pictures = viewer.subscription.pictures
        yield from (name for name in pictures if name in self._granted)
        yield from (name for name in pictures if name in known)

    def _tell(self, unknown: frozenset[str], crowded: frozenset[str]) -> None:
        self._withholding = bool(unknown or crowded)
        for viewer in self._hub.watching():
            pictures = viewer.subscription.pictures
            before = len(viewer.withheld)
            viewer.withhold(Withheld(pictures & unknown, pictures & crowded))
            if len(viewer.withheld) > before:
                self._on_withheld(viewer, len(viewer.withheld) - before)
