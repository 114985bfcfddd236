"""What came of a video's pictures, in numbers."""

from msgspec import Struct, field

from batch.video.windows import WindowSpan


class VideoReport(Struct, kw_only=True):
    """The counts of one video; they grow while it is read, and every picture is in exactly one of them.

    decoded: pictures that FFmpeg gave. Of these `thinned` were left out because there were more than `fps` a second,
    `analysed` are sent, `still` show what the one analysed last shows, `repeated` what an earlier one shows.
    damaged: packets that do not decode; what they held is not among the decoded.
    mended_times: pictures without a time of their own, or with one before that of the picture before.
    seconds: how far it was read; `promised` is how long it says it is, 0 where it says nothing.
    sizes: how many sizes its pictures have.
    """

    decoded: int = 0
    thinned: int = 0
    analysed: int = 0
    still: int = 0
    repeated: int = 0
    damaged: int = 0
    mended_times: int = 0
    seconds: float = 0.0
    promised: float = 0.0
    sizes: int = 0
    complete: bool = False
    """It was read to where it ends."""
    windows: list[WindowSpan] = field(default_factory=list)

    @property
    def looked_at(self) -> int:
        """The pictures that were candidates for being analysed."""
        return self.analysed + self.still + self.repeated

    @property
    def skipped_share(self) -> float:
        """The share, 0-1, of the pictures looked at that needed no analysis."""
        return 1 - self.analysed / self.looked_at if self.looked_at else 0.0

    @property
    def cut_off(self) -> bool:
        """It ends clearly before it says it does: it was cut off, or its end is damaged."""
        return self.complete and self.seconds + max(2.0, 0.02 * self.promised) < self.promised
