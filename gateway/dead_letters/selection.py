"""Which dead letters are meant: filters that must all hold. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from contract.dead_letters import DeadLetter
from gateway.dead_letters.groups import group_id


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterSelection:
    """An empty filter holds for every dead letter. Several ids or groups: any of them."""

    ids: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    reason: str = ""
    camera: str = ""
    sender: str = ""

    @property
    def empty(self) -> bool:
        """Nothing was asked for in particular."""
        return self == LetterSelection()

    def of(self, letters: Iterable[DeadLetter]) -> list[DeadLetter]:
        """Those of the letters for which all filters hold."""
        return [letter for letter in letters if self._holds(letter)]

    def _holds(self, letter: DeadLetter) -> bool:
        return (
            (not self.ids or letter.dead_letter_id in self.ids)
            and (not self.reason or letter.reason == self.reason)
            and (not self.camera or letter.camera_id == self.camera)
            and (not self.sender or letter.sender == self.sender)
            and (not self.groups or group_id(letter) in self.groups)
        )
