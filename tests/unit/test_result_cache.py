"""The same bytes are computed once; other bytes, or another model, are not taken for them."""

from tests.helpers.images import astronaut, jpeg, task
from tests.helpers.one import One
from worker.cache import Finding, ResultCache
from worker.detection import DecodedImage, Detections
from worker.detection.haar import Haar
from worker.processor import Computed, Processor

NOTHING = Detections.none()


class Counting(Haar):
    seen = 0

    def detect(self, image: DecodedImage) -> Detections:
        self.seen += 1
        return super().detect(image)


def compute(processor: Processor, image: bytes, frame_id: str) -> Computed:
    outcome = processor.process(
        task(image, frame_id=frame_id), content_type=None, headers={}, message_id=None, waited=0.0
    )
    assert isinstance(outcome, Computed)
    return outcome


def test_the_same_bytes_are_computed_once_and_each_frame_has_its_own_result() -> None:
    detector = Counting()
    cached = Processor(One(detector), "n", staleness=None, max_pixels=10**6, cache=ResultCache(10))
    one, two = jpeg(astronaut(), 90), jpeg(astronaut(), 91)
    first, again, other = (compute(cached, image, f"f-{n}") for n, image in enumerate((one, one, two)))
    assert [outcome.cached for outcome in (first, again, other)] == [False, True, False]
    assert detector.seen == 2
    assert (first.result.frame_id, again.result.frame_id) == ("f-0", "f-1")
    assert again.result.detections == first.result.detections
    assert (again.result.width, again.result.height, again.result.model) == (512, 512, detector.model)
    assert "detect" not in again.stages


def test_another_model_computes_for_itself() -> None:
    detector = Counting()
    cached = Processor(One(detector), "n", staleness=None, max_pixels=10**6, cache=ResultCache(10))
    compute(cached, jpeg(astronaut()), "f-0")
    detector.model = "haar@other"
    assert compute(cached, jpeg(astronaut()), "f-1").cached is False


def test_without_a_cache_nothing_is_said_of_one() -> None:
    plain = Processor(One(Counting()), "n", staleness=None, max_pixels=10**6)
    assert compute(plain, jpeg(astronaut()), "f-0").cached is None


def test_the_cache_is_bounded_and_keeps_what_is_used() -> None:
    cache = ResultCache(2)
    seen = {letter: cache.key(letter.encode(), "m") for letter in "abc"}
    for letter in "ab":
        cache.put(seen[letter], found(letter))
    assert cache.get(seen["a"]) is not None
    cache.put(seen["c"], found("c"))
    assert cache.get(seen["b"]) is None
    assert cache.get(seen["a"]) == found("a")


def found(letter: str) -> Finding:
    return Finding(NOTHING, ord(letter), 1)
