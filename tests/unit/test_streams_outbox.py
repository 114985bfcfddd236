"""Pictures leave one at a time, as they are taken; what is left out is counted."""

import threading

import pytest

from producer.sources.streams.messages import DecodedPicture, LeftOut, News, StreamEnded
from producer.sources.streams.outbox import Closed, Outbox, Shot
from tests.helpers.eventually import eventually


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def outbox() -> tuple[Outbox, list[News], Clock]:
    sent: list[News] = []
    clock = Clock()
    return Outbox(7, sent.append, clock), sent, clock


def shot(number: int) -> Shot:
    return Shot(1000.0 + number, b"jpeg", number)


def picture(number: int, **skipped: int) -> DecodedPicture:
    return DecodedPicture(7, 1000.0 + number, b"jpeg", number, skipped)


def test_the_first_goes_at_once_and_the_next_when_it_was_taken() -> None:
    box, sent, _ = outbox()
    box.put(shot(0), wait=False)
    assert sent == [picture(0)]
    box.put(shot(1), wait=False)
    assert len(sent) == 1
    box.take()
    assert sent[1:] == [picture(1)]
    box.take()
    box.put(shot(2), wait=False)
    assert sent[2:] == [picture(2)]


def test_of_those_that_wait_the_newest_wins_and_the_others_are_counted() -> None:
    box, sent, _ = outbox()
    for number in range(5):
        box.put(shot(number), wait=False)
    box.take()
    assert sent == [picture(0), picture(4, replaced=3)]


def test_one_that_may_not_be_lost_waits_for_its_turn() -> None:
    box, sent, _ = outbox()
    box.put(shot(0), wait=True)
    second = threading.Thread(target=lambda: box.put(shot(1), wait=True))
    second.start()
    second.join(0.05)
    assert second.is_alive()
    assert sent == [picture(0)]
    box.take()
    second.join(5)
    assert sent == [picture(0), picture(1)]


def test_what_was_left_out_goes_with_the_next_picture() -> None:
    box, sent, _ = outbox()
    box.skip("rate")
    box.skip("rate")
    box.skip("idle")
    box.put(shot(0), wait=False)
    assert sent == [picture(0, rate=2, idle=1)]


def test_without_a_picture_it_is_told_every_second() -> None:
    box, sent, clock = outbox()
    box.skip("rate")
    clock.now += 0.9
    box.skip("rate")
    assert sent == []
    clock.now += 0.2
    box.skip("rate")
    assert sent == [LeftOut(7, {"rate": 3})]
    box.skip("rate")
    assert len(sent) == 1


def test_a_detail_is_told_at_once() -> None:
    box, sent, _ = outbox()
    box.skip("corrupt", "v.avi is broken")
    assert sent == [LeftOut(7, {"corrupt": 1}, "corrupt", "v.avi is broken")]


def test_the_last_word_comes_after_all_counts_and_only_once() -> None:
    box, sent, _ = outbox()
    box.skip("rate")
    box.end("timeout", "no answer")
    box.end()
    assert sent == [LeftOut(7, {"rate": 1}), StreamEnded(7, "timeout", "no answer")]


@pytest.mark.parametrize("act", ["put", "wait", "skip", "pause"])
def test_closing_ends_whatever_the_camera_does(act: str) -> None:
    box, sent, _ = outbox()
    box.put(shot(0), wait=False)
    acts = {
        "put": lambda: box.put(shot(1), wait=False),
        "wait": lambda: box.put(shot(1), wait=True),
        "skip": lambda: box.skip("rate"),
        "pause": lambda: box.pause(60),
    }
    ended = threading.Event()

    def camera() -> None:
        try:
            while True:
                acts[act]()
        except Closed:
            ended.set()

    thread = threading.Thread(target=camera, daemon=True)
    thread.start()
    box.close()
    eventually("the camera ended", ended.is_set, 5)
    thread.join(5)
    box.end()
    assert sent == [picture(0)]
