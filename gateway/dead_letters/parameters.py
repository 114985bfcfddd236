"""Query parameters about dead letters."""

from pydantic import Field

from contract.api.dead_letters import OperationKind
from contract.topology import Lane
from gateway.dead_letters.selection import LetterSelection
from gateway.http.parameters import QueryParameters

ID_PATTERN = "^[0-9a-f]{12}$"
MAX_NAMED = 200
"""Groups, or ids, in one request."""


class LetterParameters(QueryParameters):
    """Filters that must all hold."""

    reason: str = Field("", max_length=64, description="only with this reason", examples=["not_json"])
    camera: str = Field("", max_length=64, description="only of this camera", examples=["gate-3"])
    sender: str = Field("", max_length=64, description="only of this sender", examples=["school"])


class DeadLetterParameters(LetterParameters):
    """A page of dead letters."""

    limit: int = Field(100, ge=1, le=1_000, description="how many at most")
    cursor: str = Field("", max_length=64, description="`next` of the page before; empty: the first page")
    group: str = Field("", max_length=64, description="only of this group", examples=["5d41c7e0ab12"])

    def selection(self) -> LetterSelection:
        """The letters that are meant."""
        return LetterSelection(
            groups=frozenset({self.group} - {""}), reason=self.reason, camera=self.camera, sender=self.sender
        )


class GroupParameters(LetterParameters):
    """The largest groups."""

    limit: int = Field(200, ge=1, le=1_000, description="how many at most")

    def selection(self) -> LetterSelection:
        """The letters that are meant."""
        return LetterSelection(reason=self.reason, camera=self.camera, sender=self.sender)


class OperationParameters(LetterParameters):
    """A replay or a purge, and of which letters."""

    kind: OperationKind = Field(
        description="replay: compute them once more; purge: delete them", examples=["replay"]
    )
    group: list[str] = Field(
        [],
        max_length=MAX_NAMED,
        description="only of this group; may be repeated",
        examples=[["5d41c7e0ab12"]],
    )
    id: list[str] = Field(
        [],
        max_length=MAX_NAMED,
        description="only this dead letter; may be repeated",
        examples=[["3f7a0c52b1d9"]],
    )
    all: bool = Field(False, description="needed where no filter is given")
    lane: Lane | None = Field(None, description="replay: to this lane, instead of where they belong")
    fresh: bool = Field(False, description="replay: write the present as the time of capture")

    def selection(self) -> LetterSelection:
        """The letters that are meant."""
        return LetterSelection(
            ids=frozenset(self.id),
            groups=frozenset(self.group),
            reason=self.reason,
            camera=self.camera,
            sender=self.sender,
        )
