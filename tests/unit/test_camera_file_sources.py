"""Sources in cameras.yaml, and the secrets in them that nobody sees."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.catalogue.file.cameras import CameraFile
from producer.catalogue.file.reader import read_cameras

SECRETS = {"USER": "admin", "PASSWORD": "hunter2/@x"}


def one(source: str, environment: dict[str, str] | None = None) -> CameraFile:
    return read_cameras(f"cameras:\n  - id: gate\n    source: '{source}'".encode(), environment or {})


def test_references_in_sources_are_filled_in() -> None:
    camera = one("rtsp://${USER}:${PASSWORD}@10.0.0.8/s?u=${USER}&p=${PASSWORD}", SECRETS).cameras["gate"]
    assert camera.spec.target == "rtsp://admin:hunter2%2F%40x@10.0.0.8/s?u=admin&p=hunter2%2F%40x"
    assert camera.spec.shown == "rtsp://10.0.0.8/s?u=***&p=***"


def test_an_at_sign_in_the_user_name_ends_it_not() -> None:
    camera = one("rtsp://me@work:${PASSWORD}@h/s", SECRETS).cameras["gate"]
    assert camera.spec.target == "rtsp://me@work:hunter2%2F%40x@h/s"


def test_a_whole_address_may_come_from_the_environment() -> None:
    camera = one("${GATE}", {"GATE": "http://u:p@h/s.jpg"}).cameras["gate"]
    assert (camera.spec.kind, camera.spec.target) == ("snapshot", "http://u:p@h/s.jpg")
    assert camera.spec.shown == "${GATE}"


def test_a_secret_in_a_path_is_not_shown_either() -> None:
    camera = one("rtsps://nvr:7441/${TOKEN}", {"TOKEN": "s3cr3t"}).cameras["gate"]
    assert camera.spec.target == "rtsps://nvr:7441/s3cr3t"
    assert "s3cr3t" not in f"{camera.spec.shown} {camera!r}"


def test_a_dollar_sign_is_itself_and_two_stand_for_one_before_a_brace() -> None:
    assert one("a$b$$c$${x}.mkv").cameras["gate"].spec.target == "a$b$$c${x}.mkv"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("http://${CAMERA_GONE}@h/", "source: the environment variable CAMERA_GONE is not set or empty"),
        ("http://${CAMERA_EMPTY}@h/", "source: the environment variable CAMERA_EMPTY is not set or empty"),
        ("http://${GONE}@h/", "source: there is no GONE in cameras.env beside the file, or it is empty"),
        ("http://${EMPTY}@h/", "source: there is no EMPTY in cameras.env beside the file, or it is empty"),
        ("http://${GONE:-x}@h/", "source: after ${ comes the name of an environment variable and }"),
        ("http://${GONE", "source: after ${ comes"),
        (
            "ftp://${PASSWORD}@h/",
            "source: ftp://h/: ftp:// is not known; known are http, https, rtsp, rtsps, rtmp, rtmps (0 stands",
        ),
        ("http://h:${PASSWORD}/x", "source: it cannot be used with the value of PASSWORD"),
        ("${PASSWORD}://h/x", "source: 0://h/x: 0:// is not known"),
        ("webcam:${PASSWORD}", "source: it cannot be used with the value of PASSWORD"),
        ("demo", "source: demo: these are 4 cameras, and here one is meant: say demo:1"),
        ("demo:2", "source: demo:2: these are 2 cameras"),
        ("ftp://me:hunter2@h/", "source: ftp://h/: ftp:// is not known"),
        ("x" * 300, "this path cannot be looked at: File name too long"),
        ("~nobody-here-by-that-name/x.mkv", "this path cannot be looked at: there is no such home"),
    ],
)
def test_a_source_that_cannot_be_used_is_told_without_its_secrets(source: str, problem: str) -> None:
    file = one(source, SECRETS | {"EMPTY": "", "CAMERA_EMPTY": ""})
    [only] = file.problems
    assert only.line == 3
    assert problem in only.text
    assert "hunter2" not in only.text
    assert not file.cameras


@pytest.mark.parametrize("value", ["admin:hunter2@host/x", "http//admin:hunter2@host/x", "rtsp:hunter2"])
def test_a_value_that_lacks_its_scheme_is_told_without_it(value: str) -> None:
    [only] = one("${U}", {"U": value}).problems
    assert "no scheme, or a broken one" in only.text
    assert "hunter2" not in only.text


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), min_size=8))
def test_a_password_is_never_in_a_message_nor_in_a_representation(password: str) -> None:
    secret = f"hunter2{password}"
    for template in (
        "http://u:${P}@h/",
        "http://h/?p=${P}",
        "http://h/${P}",
        "${P}",
        "ftp://${P}@h",
        "webcam:${P}",
    ):
        file = one(template, {"P": secret})
        shown = [camera.spec.shown for camera in file.cameras.values()]
        assert "hunter2" not in f"{file!r} {shown} {file.problems}"


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1))
def test_a_password_of_any_characters_arrives_in_the_user_information(password: str) -> None:
    spec = one("rtsp://admin:${P}@10.0.0.8:554/s", {"P": password}).cameras["gate"].spec
    parts = urlsplit(spec.target)
    assert (parts.hostname, parts.port, parts.path) == ("10.0.0.8", 554, "/s")
    assert unquote(parts.password or "") == password
