"""A frame as it travels."""

from dataclasses import replace

import pytest

from contract.task import MAX_BODY_BYTES, TaskForm, parse_task
from contract.topology import Lane
from producer.frames import Encoded, Frame
from producer.inspection.inspector import Inspector
from producer.lane.message import Form, message_of, picture_of
from tests.helpers.cameras import SIGHT
from tests.helpers.media import jpeg


@pytest.mark.parametrize("form", list(TaskForm))
def test_a_picture_above_the_limit_becomes_a_smaller_jpeg_or_is_dropped(form: TaskForm) -> None:
    padded = Encoded(jpeg() + bytes(MAX_BODY_BYTES), "image/jpeg")
    encoded = picture_of(Frame("cam", "cam:1:0", 1.0, padded), Form(form, 50, "p", 2.0))
    assert isinstance(encoded, Encoded)
    assert len(encoded.data) < 10_000
    no_image = Frame("cam", "cam:1:1", 1.0, Encoded(bytes(MAX_BODY_BYTES), "image/jpeg"))
    assert picture_of(no_image, Form(form, 50, "p", 2.0)) == "too_large"


def test_what_cannot_be_masked_does_not_leave() -> None:
    view = Inspector(replace(SIGHT, masks=(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)),)))
    broken = view.leaving(Encoded(jpeg()[:300], "image/jpeg"))
    frame = Frame("cam", "cam:1:0", 1.0, broken)
    assert picture_of(frame, Form(TaskForm.COMPACT, 50, "p", 2.0)) == "corrupt"


@pytest.mark.parametrize("form", list(TaskForm))
def test_a_message_says_all_of_its_frame_and_goes_to_its_lane(form: TaskForm) -> None:
    picture = Encoded(jpeg(), "image/jpeg")
    frame = Frame("cam", "cam:1:0", 1.5, picture, Lane.BATCH, "haar", 0.25)
    message = message_of(frame, picture, Form(form, 50, "p", 2.0), "replies")
    task = parse_task(
        message.body,
        content_type=str(message.content_type),
        headers=message.headers,
        message_id=str(message.message_id),
    )
    assert (task.camera_id, task.frame_id, task.timestamp, task.model) == ("cam", "cam:1:0", 1.5, "haar")
    assert task.motion == 0.25
    assert task.image == picture.data
    assert (message.routing_key, message.reply_to, message.app_id) == ("frame_queue.batch", "replies", "p")
