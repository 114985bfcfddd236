"""What picture decoders say of damaged pictures."""

import json
import subprocess
import sys

from producer.sources.complaints import QUIET_SECONDS, Complaints

PROGRAM = """
import os, sys
import cv2, numpy as np
from producer.sources.complaints import tell_complaints
from runtime.logs import configure_logs
from tests.helpers.media import jpeg
configure_logs("producer", "info", "json")
tell_complaints()
picture = jpeg()
for _ in range(50):
    assert cv2.imdecode(np.frombuffer(picture[:-60] + picture[-2:], np.uint8), 1) is not None
os.write(2, b'{"event": "descriptor 2 is as it was"}\\n')
cv2.imdecode(np.frombuffer(picture[:-60] + picture[-2:], np.uint8), 1)
sys.stdin.read()
"""


def test_a_damaged_picture_is_told_once_in_a_line_of_our_log() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stderr is not None
        two = [json.loads(program.stderr.readline()) for _ in range(2)]
        _, rest = program.communicate()
    assert program.returncode == 0
    assert rest == ""
    assert {"event": "descriptor 2 is as it was"} in two
    [told] = [line for line in two if "damaged" in line["event"]]
    assert told["detail"].startswith("Corrupt JPEG data: ")
    assert (told["service"], told["level"], told["times"]) == ("producer", "warning", 1)


def test_the_same_words_are_counted_for_a_minute() -> None:
    complaints = Complaints()
    assert complaints.heard("damage", 0.0) == 1
    assert [complaints.heard("damage", float(now)) for now in range(1, 5)] == [None] * 4
    assert complaints.heard("other damage", 5.0) == 1
    assert complaints.heard("damage", QUIET_SECONDS) == 5
