"""Which of the cameras that several producers know this one serves, without a leader or a lock. Pure.

Rendezvous hashing (highest random weight; Thaler & Ravishankar, "Using name-based mappings to increase hit rates",
IEEE/ACM Transactions on Networking 6(1), 1998): each producer gives every member a weight for every camera, the same
everywhere, and the heaviest member serves the camera. If a member goes, only its cameras move; if one comes, only
those that it gets.

Members are known by their heartbeats. Those that offer the same cameras agree by the hash alone. Others that offer
some of them (a file that is being rolled out) are reckoned with where they say that they serve one. Either way
the heaviest of those that could serve a camera ends up serving it: nobody heavier stands in its way, and everybody
lighter sees it.

Availability goes before exclusiveness: members that cannot hear each other serve all cameras each, until they can.
Receipt times are this process's monotonic clock; nobody else's clock matters.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from contract.status import LOST_AFTER_SECONDS

MEMBER_TIMEOUT = 10.0  # seconds without a heartbeat after which a member is taken for dead
DEAF_AFTER = LOST_AFTER_SECONDS  # without our own heartbeat: then the others' silence says nothing either
SETTLE = 1.0  # seconds between being heard and serving: for the answers, and for the others to let go first


class Member(NamedTuple):
    """A running producer. Two that are called the same are told apart by when they started (Unix seconds)."""

    name: str
    since: float


@dataclass(slots=True)
class _OtherMember:
    heard: float
    offer: str
    serves: frozenset[str] = frozenset()


class Sharing:
    """One producer's view. `now` is monotonic seconds.

    Feed it every heartbeat on `status`, our own included: only who hears itself can judge who is silent. Say a
    heartbeat with `offer(now)` every two seconds, and at once when `heard` or `know` asks for it.
    """

    def __init__(self, member: Member, cameras: Iterable[str] = ()) -> None:
        self.member = member
        self._cameras: frozenset[str] = frozenset()
        self._digest = ""
        self._others: dict[Member, _OtherMember] = {}
        self._echo: float | None = None  # when we last heard ourselves
        self._settled = float("inf")
        self._weights: dict[str, dict[str, bytes]] = {}
        self._share: frozenset[str] | None = None  # None: to be computed anew
        self.know(cameras)

    @property
    def members(self) -> list[Member]:
        """Everybody known to be there, ourselves included, in order."""
        return sorted([self.member, *self._others])

    def offer(self, now: float) -> str:
        """The digest that our heartbeat says: of the cameras that we could serve, 16 hex digits.

        Empty while we do not hear ourselves. Others then count us as silent: we would not learn of a change, and
        a producer without replies sends no frames.
        """
        return self._digest if self._hears(now) else ""

    def know(self, cameras: Iterable[str]) -> bool:
        """Take on the cameras that we could serve. Returns whether they differ from before: then say so at once."""
        cameras = frozenset(cameras)
        if self._digest and cameras == self._cameras:
            return False
        self._cameras = cameras
        self._digest = blake2b("\n".join(sorted(cameras)).encode(), digest_size=8).hexdigest()
        self._weights.clear()
        self._share = None
        return True

    def heard(self, member: Member, offer: str, now: float) -> bool:
        """Take in a heartbeat, perhaps our own. Returns whether to say ours at once: somebody is new to us."""
        if member == self.member:
            return self._heard_ourselves(now)
        if not offer:  # deaf, of an older version, or shares nothing: no member
            return False
        other = self._others.get(member)
        if other is None:
            self._others[member] = _OtherMember(now, offer)
            self._share = None
            return True
        other.heard = now
        if other.offer != offer:
            other.offer = offer
            self._share = None
        return False

    def serves(self, member: Member, cameras: Iterable[str]) -> None:
        """A member says which cameras it serves: all of them. What others than members say means nothing."""
        other = self._others.get(member)
        served = frozenset(cameras)
        if other is not None and other.serves != served:
            other.serves = served
            if other.offer != self._digest:
                self._share = None

    def left(self, member: Member) -> None:
        """A member said that it stops; it has let go of its cameras."""
        if self._others.pop(member, None) is not None:
            self._share = None

    def share(self, now: float) -> frozenset[str]:
        """The cameras that we are to serve now. Ask a few times a second, and after every heartbeat heard."""
        if now < self._settled:
            return frozenset()
        if self._hears(now):
            for member in [m for m, other in self._others.items() if now - other.heard > MEMBER_TIMEOUT]:
                self.left(member)
        if self._share is None:
            self._share = self._compute()
        return self._share

    def _hears(self, now: float) -> bool:
        return self._echo is not None and now - self._echo <= DEAF_AFTER

    def _heard_ourselves(self, now: float) -> bool:
        before, self._echo = self._echo, now
        if before is None:
            self._settled = now + SETTLE
            return True
        deaf = now - before
        if deaf <= DEAF_AFTER:
            return False
        for other in self._others.values():  # they may have spoken all the while
            other.heard = min(now, other.heard + deaf)
        return True

    # --- the hash ---------------------------------------------------------------------------------------

    def _compute(self) -> frozenset[str]:
        names = {self.member.name, *(member.name for member in self._others)}
        self._weights = {name: self._weights.get(name, {}) for name in names}
        alike = [member for member, other in self._others.items() if other.offer == self._digest]
        unlike = [(member, other) for member, other in self._others.items() if other.offer != self._digest]
        return frozenset(
            camera_id
            for camera_id in self._cameras
            if not any(self._heavier(member, camera_id) for member in alike)
            and not any(
                camera_id in other.serves and self._heavier(member, camera_id) for member, other in unlike
            )
        )

    def _heavier(self, member: Member, camera_id: str) -> bool:
        """Return whether that member goes before us at this camera."""
        if member.name == self.member.name:  # they divide what falls to the name
            return _weight(str(member.since), camera_id) > _weight(str(self.member.since), camera_id)
        return self._cached(member.name, camera_id) > self._cached(self.member.name, camera_id)

    def _cached(self, name: str, camera_id: str) -> bytes:
        weights = self._weights[name]
        weight = weights.get(camera_id)
        if weight is None:
            weight = weights[camera_id] = _weight(name, camera_id)
        return weight


def _weight(name: str, camera_id: str) -> bytes:
    """The same in every process, unlike Python's `hash`; 64 bits, so that no two are equal in practice."""
    return blake2b(f"{name}\0{camera_id}".encode(), digest_size=8).digest()
