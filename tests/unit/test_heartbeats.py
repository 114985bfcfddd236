"""Heartbeats of others, as they are read."""

import pytest

from contract.status import CameraReport, CamerasStatus, CameraStatus, encode_status, parse_status

BAD = ["", "a" * 65, "gate.1", "gate 1", "gate\n", "tür"]


def report(camera_id: str) -> CameraReport:
    return CameraReport(camera_id=camera_id, state="live", since=1.0)


def test_a_camera_without_a_valid_name_costs_itself() -> None:
    told = CamerasStatus(
        producer_id="p",
        producer_since=1.0,
        time=2.0,
        cameras=[report("gate-1"), *map(report, BAD), report("gate_2")],
    )
    heard = parse_status(encode_status(told))
    assert isinstance(heard, CamerasStatus)
    assert heard.cameras == [report("gate-1"), report("gate_2")]


@pytest.mark.parametrize("camera_id", BAD)
def test_news_of_a_camera_without_a_valid_name_are_none(camera_id: str) -> None:
    told = CameraStatus(
        camera_id=camera_id,
        producer_id="p",
        state="live",
        reason=None,
        since=1.0,
        fps=1.0,
        sent=1,
        dropped={},
        time=2.0,
    )
    with pytest.raises(ValueError, match="not a name for a camera"):
        parse_status(encode_status(told))
