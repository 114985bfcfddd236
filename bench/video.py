"""What sampling leaves out of videos, what that misses, and what an hour of video costs before workers have their part.

    MODEL_DIR=… python -m bench.video --footage FOLDER [--costs FILE] [--long FILE] [--fps 30]

Every picture of each video is given to the detector. What sampling would have found follows from these results, for a
sample is a picture of the video: nothing is detected twice. A second is missed if somebody is there by all pictures
and not by the samples; a presence is missed if it has no such second at all.
"""

import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import av

from batch.video.container import opened
from batch.video.report import VideoReport
from batch.video.samples import Sample, encoded, samples
from batch.video.settings import VideoSettings
from batch.video.timeline import Faces, Presence, presences, shown
from bench.candidates import candidates
from bench.command import footage_command
from bench.machine import facts
from bench.tables import percent, table

HOUR = 3600.0
SURE = 0.7
"""Confidence from which a detection is no flicker: one at 0.5 comes and goes on a picture that stands still."""
MODES: dict[str, Callable[[av.VideoStream], None]] = {
    "all frames": lambda stream: None,
    "without loop filter": lambda stream: _set(stream, options={"skip_loop_filter": "all"}),
    "no unreferenced frames": lambda stream: _set(stream, skip_frame="NONREF"),
    "keyframes only": lambda stream: _set(stream, skip_frame="NONKEY"),
    "two threads": lambda stream: _set(stream, thread_count=2),
}


@dataclass(frozen=True)
class Compared:
    """A video's presence by all pictures and by samples; seconds."""

    name: str
    report: VideoReport
    everything: Sequence[Presence]
    sampled: Sequence[Presence]
    counts_agree: float
    sure: int
    sure_missed: int

    @property
    def missed(self) -> float:
        """Seconds with somebody that sampling does not show."""
        return sum(_uncovered(one, self.sampled) for one in self.everything)

    @property
    def missed_presences(self) -> int:
        """Presences of which sampling shows nothing."""
        return sum(not any(_touch(one, other) for other in self.sampled) for one in self.everything)


def compare(path: Path, settings: VideoSettings, detect: Callable[[bytes], Faces]) -> Compared:
    """Look at every picture of a video, and at what sampling makes of it."""
    all_of_it = VideoSettings(fps=settings.fps, skip_still=False, skip_repeated=False)
    found = {}
    each: list[Sample] = []
    for sample in samples(path, all_of_it):
        assert sample.image is not None
        found[sample.index] = detect(encoded(sample.image))
        each.append(_without_picture(sample))
    report = VideoReport()
    taken = [_without_picture(sample) for sample in samples(path, settings, report)]
    sure = {index: faces if faces.confidence >= SURE else Faces(0, 0.0) for index, faces in found.items()}
    surely = [list(presences(shown(which), sure.get)) for which in (each, taken)]
    agree = sum(_count(found, a) == _count(found, b) for a, b in zip(each, taken, strict=True))
    return Compared(
        path.name,
        report,
        list(presences(shown(each), found.get)),
        list(presences(shown(taken), found.get)),
        agree / len(each),
        len(surely[0]),
        sum(not any(_touch(one, other) for other in surely[1]) for one in surely[0]),
    )


def costs(path: Path, settings: VideoSettings) -> Iterator[tuple[str, float]]:
    """CPU seconds of decoding an hour of it in each mode, and of all that the sampling side does."""
    for name, prepare in MODES.items():
        yield f"decode, {name}", _decode(path, prepare)
    began, report, sent = time.process_time(), VideoReport(), 0
    for sample in samples(path, settings, report):
        if sample.image is not None:
            sent += len(encoded(sample.image, settings.quality))
    yield "decode, look, encode samples", (time.process_time() - began) * HOUR / report.seconds


def _decode(path: Path, prepare: Callable[[av.VideoStream], None]) -> float:
    with path.open("rb") as file:
        began, reached = time.process_time(), 0.0
        container, stream = opened(file, path.name, threads=1)
        prepare(stream)
        for frame in container.decode(stream):
            reached = max(reached, frame.time or 0.0)
        container.close()
    return (time.process_time() - began) * HOUR / max(reached, 0.1)


def _set(stream: av.VideoStream, **values: object) -> None:
    for name, value in values.items():
        setattr(stream.codec_context, name, value)


def _without_picture(sample: Sample) -> Sample:
    return Sample(sample.index, sample.time, sample.windows, sample.why, sample.reuse_of, sample.size, None)


def _count(found: Mapping[int, Faces], sample: Sample) -> int:
    return found[sample.index if sample.reuse_of is None else sample.reuse_of].count


def _touch(one: Presence, other: Presence) -> bool:
    return one.started <= other.ended and other.started <= one.ended


def _uncovered(one: Presence, others: Sequence[Presence]) -> float:
    covered = sum(max(0.0, min(one.ended, other.ended) - max(one.started, other.started)) for other in others)
    return max(0.0, one.ended - one.started - covered)


def main() -> None:
    """Print the tables."""
    parser = footage_command(__doc__)
    parser.add_argument(
        "--costs", type=Path, help="a video that is decoded in several ways, nothing detected"
    )
    parser.add_argument("--long", type=Path, help="a long video: sampled once, nothing detected")
    parser.add_argument("--fps", type=float, default=30.0, help="frames a second that are looked at")
    parser.add_argument("--detector", default="yunet")
    given = parser.parse_args()
    settings = VideoSettings(fps=given.fps)
    print(facts())
    if given.footage:
        candidate = candidates([given.detector])[0]

        def detect(jpeg: bytes) -> Faces:
            result = candidate.detect(jpeg)
            return Faces(len(result), float(result.confidence.max()) if len(result) else 0.0)

        rows = []
        for path in sorted(given.footage.iterdir()):
            one = compare(path, settings, detect)
            there = sum(each.ended - each.started for each in one.everything)
            rows.append((
                one.name, one.report.looked_at, one.report.analysed, one.report.still, one.report.repeated,
                percent(one.report.skipped_share), len(one.everything), f"{there:.1f}", len(one.sampled),
                one.missed_presences, f"{one.missed:.1f}", one.sure, one.sure_missed, percent(one.counts_agree),
            ))  # fmt: skip
        heads = "video,pictures,analysed,still,repeated,skipped,presences,seconds,by samples,missed presences"
        more = ["missed seconds", f"of at least {SURE}", "missed", "same number of faces"]
        print(table([*heads.split(","), *more], rows))
    if given.costs:
        print(
            table(
                ["an hour of video", "CPU seconds"],
                [(n, f"{s:.1f}") for n, s in costs(given.costs, settings)],
            )
        )
    if given.long:
        report, began = VideoReport(), time.process_time()
        for _ in samples(given.long, settings, report):
            pass
        print(f"{report.seconds:.0f} s, {report.looked_at} looked at, {report.analysed} analysed, "
              f"{report.still} still, {report.repeated} repeated: {percent(report.skipped_share)} skipped; "
              f"{time.process_time() - began:.0f} CPU seconds, {memory_peak() >> 20} MiB")  # fmt: skip


def memory_peak() -> int:
    """The most bytes that this process had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
