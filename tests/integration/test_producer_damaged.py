"""Pictures that cannot be used, or only in part, in a folder of a real producer."""

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.helpers.eventually import aeventually
from tests.helpers.media import jpeg

pytestmark = pytest.mark.integration


async def test_damage_is_told_in_the_log_and_what_is_too_large_is_not_sent(
    rabbitmq: str, start: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    picture = jpeg()
    (folder / "damaged.jpg").write_bytes(picture[:-60] + picture[-2:])
    cv2.imwrite(str(folder / "huge.jpg"), np.zeros((7000, 9000), np.uint8))
    for path in folder.iterdir():
        os.utime(path, (1_790_000_000, 1_790_000_000))
    producer = start("producer", AMQP_URL=rabbitmq, SOURCE=f"cam={folder}/", PRODUCER_FPS="5")
    skipped = 'producer_frames_skipped_total{camera_id="cam",reason="too_many_pixels"}'
    await aeventually("passed over", lambda: producer.ready().metric(skipped) >= 2)
    assert producer.stop() == 0
    log = producer.log.read_text()
    assert "huge.jpg cannot be used: 9000x7000 are too many pixels: set longer_side, up to 3500" in log
    assert log.count("Corrupt JPEG data") == 1
    assert "a picture is damaged" in log
