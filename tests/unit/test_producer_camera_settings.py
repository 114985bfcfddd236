"""What is wanted of a camera, by its file and by the settings."""

from typing import Any

import pytest

from contract.topology import Lane
from producer.catalogue.file.cameras import CameraConfig
from producer.catalogue.grammar import CameraSpec, parse_sources
from producer.catalogue.settings import CameraSettings, of_config, of_spec
from producer.settings import ProducerSettings
from producer.trust import Trust, parse_fingerprint

CAMERA = CameraSpec("gate", "snapshot", "http://h/a.jpg")
FILM = CameraSpec("film", "video", "a.mkv")


def settings(**values: Any) -> ProducerSettings:
    return ProducerSettings(id="p", **values)


def of(spec: CameraSpec = CAMERA, config: dict[str, Any] | None = None, **values: Any) -> CameraSettings:
    return of_config(CameraConfig(spec, name=spec.camera_id, **(config or {})), settings(**values))


def test_a_camera_of_source_has_what_the_settings_say() -> None:
    wanted = of_spec(CAMERA, settings(fps=3, lane="gpu", model="haar"))
    assert (wanted.fps, wanted.lane, wanted.model) == (3, Lane.GPU, "haar")
    assert (wanted.enabled, wanted.priority, wanted.labels, wanted.lossless) == (True, 1, None, False)


def test_what_the_file_says_goes_before_the_settings() -> None:
    wanted = of(config={"fps": 0.0, "lane": Lane.BATCH, "model": "yunet", "priority": 7}, fps=3, model="haar")
    assert (wanted.fps, wanted.lane, wanted.model, wanted.priority) == (0, Lane.BATCH, "yunet", 7)


def test_how_long_and_whom_a_camera_trusts_is_its_own_or_the_settings() -> None:
    assert (of().timeout, of().trust) == (10, Trust())
    assert (of(timeout_seconds=30, tls_verify=False).timeout, of(tls_verify=False).trust) == (
        30,
        Trust(verify=False),
    )
    own = of(config={"timeout": 5.0, "tls_verify": True, "tls_fingerprint": bytes(32)}, tls_verify=False)
    assert (own.timeout, own.trust) == (5, Trust(fingerprint=bytes(32)))


def test_of_what_address_and_keys_say_of_trust_the_strictest_holds() -> None:
    off, pinned = Trust(verify=False), Trust(fingerprint=bytes(32))
    assert of(config={"tls": off}).trust == off
    assert of(config={"tls": Trust()}, tls_verify=False).trust == Trust()
    assert of(config={"tls": off, "tls_fingerprint": bytes(32)}).trust == pinned
    assert of(config={"tls": off, "tls_verify": True}).trust == Trust()
    (said,) = parse_sources("https://h/x#tls=off&host=a.example&host=*.b.example")
    wanted = of_config(CameraConfig(said, name="x", hosts=("c.example",)), settings())
    assert (wanted.trust, wanted.hosts) == (off, ("c.example", "a.example", "*.b.example"))
    assert of_config(CameraConfig(said, name="x", tls=pinned), settings()).trust == pinned


@pytest.mark.parametrize("written", ["sha256:" + "ab" * 32, "SHA-256:" + ":".join(["AB"] * 32), "AB" * 32])
def test_a_fingerprint_is_read_as_browsers_and_openssl_write_it(written: str) -> None:
    assert parse_fingerprint(written) == bytes([0xAB]) * 32


def test_labels_are_sent_only_where_there_are_some() -> None:
    assert of().labels is None
    named = of_config(CameraConfig(CAMERA, name="Gate 3", district="Harbour"), settings()).labels
    assert named is not None
    assert (named.name, named.group, named.district) == ("Gate 3", None, "Harbour")


@pytest.mark.parametrize(
    ("spec", "values", "motion"),
    [
        (CAMERA, {}, True),
        (CameraSpec("w", "webcam", "0"), {}, True),
        (FILM, {}, False),
        (CameraSpec("d", "demo", "1"), {}, False),
        (CAMERA, {"lane": "batch"}, False),
        (CAMERA, {"end": "finish"}, False),
        (CAMERA, {"motion": "off"}, False),
        (FILM, {"motion": "on"}, True),
    ],
)
def test_motion_is_looked_at_where_a_place_is_shown_as_it_is_now(
    spec: CameraSpec, values: dict[str, Any], motion: bool
) -> None:
    sight = of(spec, **values).sight
    assert (sight is not None and sight.motion is not None) is motion


def test_a_camera_may_differ_from_the_settings_in_its_motion_and_health() -> None:
    own = of(config={"motion": False, "health": False}, motion="on", health="on").sight
    assert own is not None
    assert (own.motion, own.health) == (None, False)
    own = of(FILM, config={"motion": True, "motion_threshold": 30.0, "refresh": 60.0}).sight
    assert own is not None
    assert (own.motion, own.refresh, own.health) == ((30.0, 0.002), 60, False)


def test_recordings_leave_as_they_are_unless_they_are_masked_or_made_smaller() -> None:
    assert of(FILM).sight is None
    masked = of(FILM, config={"masks": (((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)),)}).sight
    smaller = of(FILM, longer_side=640).sight
    assert masked is not None
    assert smaller is not None
    assert (len(masked.masks), masked.longer_side) == (1, None)
    assert (smaller.masks, smaller.longer_side) == ((), 640)


def test_only_what_ends_on_the_batch_lane_is_sent_without_loss() -> None:
    assert of(FILM, config={"lane": Lane.BATCH}, end="finish").lossless
    assert not of(FILM, end="finish").lossless
    assert not of(FILM, lane="batch").lossless
