"""What SOURCE may say."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.identifiers import CAMERA_ID_PATTERN
from producer.catalogue.grammar import CameraSpec, parse_camera, parse_sources, sanitise
from producer.errors import InvalidSource
from producer.redaction import redact
from producer.trust import Trust


def ids(text: str) -> list[str]:
    return [camera.camera_id for camera in parse_sources(text)]


def test_the_demo_has_four_cameras_or_as_many_as_asked() -> None:
    assert ids("demo") == ["demo-1", "demo-2", "demo-3", "demo-4"]
    assert parse_sources("demo:2") == [CameraSpec("demo-1", "demo", "1"), CameraSpec("demo-2", "demo", "2")]
    assert ids("lobby=demo:1") == ["lobby"]
    assert ids("lobby=demo:2") == ["lobby-1", "lobby-2"]


@pytest.mark.parametrize(
    ("text", "camera"),
    [
        ("videos/back yard (2).mkv", CameraSpec("back-yard-2", "video", "videos/back yard (2).mkv")),
        ("clip.GIF", CameraSpec("clip", "video", "clip.GIF")),
        ("photo.JPG", CameraSpec("photo", "folder", "photo.JPG")),
        ("gate-3=x.mp4", CameraSpec("gate-3", "video", "x.mp4")),
        ("webcam:1", CameraSpec("webcam-1", "webcam", "1")),
        ("desk = webcam:0", CameraSpec("desk", "webcam", "0")),
        (
            "http://10.0.0.7/snapshot.jpg?a=b",
            CameraSpec("10-0-0-7-snapshot", "snapshot", "http://10.0.0.7/snapshot.jpg?a=b"),
        ),
        ("HTTPS://cam:8443/s", CameraSpec("cam-8443-s", "snapshot", "HTTPS://cam:8443/s")),
        ("door=rtsp://u:p=1@h/s", CameraSpec("door", "stream", "rtsp://u:p=1@h/s")),
        ("rtsps://h/live/main", CameraSpec("h-live-main", "stream", "rtsps://h/live/main")),
        ("rtmp://h:1935/live/yard", CameraSpec("h-1935-live-yard", "stream", "rtmp://h:1935/live/yard")),
        ("RTMPS://h/live", CameraSpec("h-live", "stream", "RTMPS://h/live")),
        ("https://h/a/Live.M3U8?t=1", CameraSpec("h-a-Live", "stream", "https://h/a/Live.M3U8?t=1")),
        ("http://h/x.jpg?list=y.m3u8", CameraSpec("h-x", "snapshot", "http://h/x.jpg?list=y.m3u8")),
        ("demo.mp4", CameraSpec("demo", "video", "demo.mp4")),
    ],
)
def test_one_source(text: str, camera: CameraSpec) -> None:
    assert parse_sources(text) == [camera]


def test_an_address_says_behind_a_hash_whom_it_trusts_and_where_it_leads() -> None:
    text = (
        "gate=rtsps://u:p@h/s#tls=sha256:"
        + "ab" * 32
        + "&host=CDN.example:81, https://h/x.m3u8#tls=off, http://h/#"
    )
    gate, hls, plain = parse_sources(text)
    assert (gate.target, gate.hosts) == ("rtsps://u:p@h/s", ("cdn.example:81",))
    assert gate.tls == Trust(fingerprint=b"\xab" * 32)
    assert (hls.target, hls.kind, hls.tls, hls.hosts) == (
        "https://h/x.m3u8",
        "stream",
        Trust(verify=False),
        (),
    )
    assert (plain.target, plain.tls) == ("http://h/", None)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("tsl=off", "behind # it may say tls=... and host=..., and nothing else"),
        ("tls=no", "its tls= behind # is none of verify, off and"),
        ("host=a/b", "its host= behind # is not a host"),
        ("secret", "and nothing else"),
    ],
)
def test_what_stands_behind_a_hash_and_means_nothing_is_told_without_its_secrets(
    options: str, told: str
) -> None:
    with pytest.raises(InvalidSource, match=told) as raised:
        parse_sources(f"https://u:hunter2@h/x#{options}")
    assert "hunter2" not in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_folder_is_recognised_and_named_after_itself(tmp_path: Path) -> None:
    folder = tmp_path / "site.b"
    folder.mkdir()
    assert parse_sources(f"{folder}/") == [CameraSpec("site-b", "folder", str(folder))]


def test_a_file_with_an_equals_sign_in_its_name_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a=b.mp4").touch()
    assert ids("a=b.mp4") == ["a-b"]


def test_several_sources_get_distinct_names() -> None:
    assert ids(" a/x.mkv, b/x.mkv ,x-2=c.mkv,d/x.mkv,") == ["x", "x-2", "x-2-2", "x-3"]


def test_distinct_names_stay_within_the_length() -> None:
    long = "n" * 80
    assert ids(f"{long}.mkv,b/{long}.mkv") == ["n" * 64, "n" * 62 + "-2"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " , ",
        "demo:0",
        "demo:x",
        "demo:-1",
        "webcam:",
        "webcam:one",
        "ftp://host/x",
        "http://",
        "http://host:port/x",
        "gate 3=demo",
        "gate.3=rtsp://h/x",
        "x" * 65 + "=demo",
        "tor=demo:99999",
    ],
)
def test_what_is_no_source_is_refused(text: str) -> None:
    with pytest.raises(InvalidSource):
        parse_sources(text)


def test_no_message_shows_a_password() -> None:
    for text in ("ftp://u:hunter2@h/x", "rtsp://u:hunter2@:x/", "http://u:hunter2@h:hunter2/?p=hunter2"):
        with pytest.raises(InvalidSource) as raised:
            parse_sources(text)
        assert "u:hunter2@" not in str(raised.value)
        assert "p=hunter2" not in str(raised.value)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "there.mkv").touch()
    there, absent, demo = parse_sources(f"{tmp_path}/there.mkv,{tmp_path}/absent.mkv,demo:1")
    assert [there.missing, absent.missing, demo.missing] == [False, True, False]


def test_a_folder_that_is_to_come_is_written_with_a_slash(tmp_path: Path) -> None:
    (spec,) = parse_sources(f"{tmp_path}/uploads.2026/")
    assert (spec.kind, spec.camera_id, spec.missing) == ("folder", "uploads-2026", False)
    assert Path(spec.target) == tmp_path / "uploads.2026"


def test_redaction_hides_user_password_and_query_values() -> None:
    assert redact("rtsp://me:secret@h:554/s?user=me&pwd=secret") == "rtsp://h:554/s?user=***&pwd=***"
    assert redact("videos/x.mkv") == "videos/x.mkv"
    assert redact("http://h:80/live/1.jpg#a") == "http://h:80/live/1.jpg"
    assert redact("http://proxy/rtsp://me:secret@h/s") == "http://proxy/rtsp://h/s"
    # A camera file's address that a " #" in its password cut off.
    assert redact("http://admin:secret") == "http://admin:***"
    assert redact("http://admin:secret 1/x.jpg") == "http://admin:***/x.jpg"
    assert redact("http://h:${PORT}/x.jpg") == "http://h:${PORT}/x.jpg"
    assert redact("http://[::1]:80/x.jpg") == "http://[::1]:80/x.jpg"


@pytest.mark.parametrize(
    "spoilt",
    [
        "http://[secret@h/",
        "my_cam://me:secret@h/",
        "0://me:secret@h/",
        "rtsp://me:se/secret@h/s",
        "rtsp://me:1/secret@h/s?a=b@c",
        "rtsp://me:#secret@h/s",
        "rtsp://me:p?secret@h/s",
        "rtsp://me:p@secret@h/s",
        "http://proxy:80/?url=rtsp://me:secret@h/s",
        "http://proxy/?url=rtsp://me:se/secret@h/s",
        "http://h:80/s?user=me@work&password=secret",
        "http://me:p#@h/s?password=secret",
        "rtsp://me:p@?secret@h/s",
        "http://me:p\n/secret\n@h",
    ],
)
def test_redaction_hides_the_password_of_an_address_that_is_none(spoilt: str) -> None:
    assert "secret" not in redact(spoilt)


AWKWARD = st.text(alphabet="ab:/?#@&=%;[ ", max_size=12)


@given(st.sampled_from(["rtsp", "my_cam", ""]), st.text(alphabet="ab@&=%;[ "), AWKWARD, AWKWARD)
def test_redaction_hides_any_password(scheme: str, user: str, before: str, after: str) -> None:
    assert "SECRET" not in redact(f"{scheme}://{user}:{before}SECRET@h/{after}")


@pytest.mark.parametrize(
    "source",
    ["gate=http://h/s.jpg?token=" + "t" * 300, "http://h/" + "t" * 300, "gate=rtsp://h/" + "t" * 5_000],
)
def test_an_address_may_be_longer_than_the_name_of_a_file(source: str) -> None:
    assert [camera.target for camera in parse_sources(source)] == [source.removeprefix("gate=")]


@pytest.mark.parametrize("source", ["x" * 300, "a=" + "x" * 300, "~nobody-here-by-that-name/x.mkv"])
def test_a_path_that_cannot_be_looked_at_is_refused(source: str) -> None:
    with pytest.raises(InvalidSource, match="cannot be looked at"):
        parse_sources(source)


def test_one_source_for_a_camera_that_has_its_name_elsewhere() -> None:
    assert parse_camera("gate", " a,b=c.mkv ") == CameraSpec("gate", "video", "a,b=c.mkv")
    assert parse_camera("gate", "demo:1") == CameraSpec("gate", "demo", "1")
    with pytest.raises(InvalidSource, match="these are 4 cameras"):
        parse_camera("gate", "demo")


def test_a_camera_shows_no_credentials() -> None:
    camera = CameraSpec("gate", "stream", "rtsp://me:secret@h/s")
    assert (camera.shown, "secret" in repr(camera)) == ("rtsp://h/s", False)
    labelled = CameraSpec("gate", "stream", "rtsp://h/secret", "rtsp://h/${TOKEN}")
    assert (labelled.shown, "secret" in repr(labelled)) == ("rtsp://h/${TOKEN}", False)


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1:18210/ok",
        "10.0.0.7/secret.jpg",
        "camera:554",
        "http:/10.0.0.7/secret.jpg",
        "http:/10.0.0.7/",
        "http//admin:secret@10.0.0.7/x.jpg",
        "rtsp:10.0.0.8/secret",
        "RTSP:\\\\10.0.0.8",
        "//10.0.0.8/secret",
        "admin:secret@10.0.0.7/x.jpg",
        "secret@10.0.0.7/x.jpg",
        "//admin:se/cret@10.0.0.7/x.jpg",
    ],
)
def test_an_address_without_its_scheme_is_told_as_one_and_not_shown(text: str) -> None:
    for source in (text, f"gate={text}"):
        with pytest.raises(InvalidSource, match="no scheme, or a broken one") as raised:
            parse_sources(source)
        assert "secret" not in str(raised.value)
        assert "10.0.0.7/s" not in str(raised.value).replace("10.0.0.7/snapshot", "")


def test_a_file_whose_name_looks_like_an_address_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("me@home:1.mkv").touch()
    assert [camera.target for camera in parse_sources("me@home:1.mkv")] == ["me@home:1.mkv"]


@pytest.mark.parametrize(
    "text", ["admin:hunter2@http://h/x", "hunter2 http://h/x", "demo:u:hunter2@h", "webcam:hunter2@x"]
)
def test_what_cannot_be_understood_shows_no_secret(text: str) -> None:
    with pytest.raises(InvalidSource) as raised:
        parse_sources(text)
    assert "hunter2" not in str(raised.value)


@given(st.text())
def test_sanitised_names_are_camera_names(name: str) -> None:
    assert re.match(CAMERA_ID_PATTERN, sanitise(name))


@given(st.text())
def test_any_text_gives_valid_distinct_names_or_one_clear_error(text: str) -> None:
    try:
        cameras = parse_sources(text.replace("\0", ""))
    except (InvalidSource, OSError):
        return
    names = [camera.camera_id for camera in cameras]
    assert len(set(names)) == len(names)
    assert all(re.match(CAMERA_ID_PATTERN, name) for name in names)


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://user:sec@ret/word@host/",
        "rtsp://user:12/secret@host/x",
        "rtsp://user:secret/word@host/x",
        "rtsp://us/er:secret@host/x",
        "rtsp://us/e?r:secret@host/x",
        "rtsp://user:secret?word@10.0.0.1/x",
        "rtsp://user:1#secret@10.0.0.1/x",
        "rtsp://user:se[cr]et@10.0.0.1/x",
        "http://user:sec@ret?x@10.0.0.1/snap.jpg",
        "rtsp:///user:secret@10.0.0.1/x",
    ],
)
def test_a_password_that_is_not_encoded_is_refused_before_its_half_is_taken_for_a_host(url: str) -> None:
    for source in (url, f"gate={url}"):
        with pytest.raises(InvalidSource) as raised:
            parse_sources(source)
        said = str(raised.value)
        assert "%40 %2F %3F %23" in said
        assert not any(part in said for part in ("secret", "sec@", "ret", "user:"))


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("rtsp://user:p@ss@10.0.0.1/x", "10.0.0.1"),
        ("rtsp://user:p%40ss%2Fword@10.0.0.1/x", "10.0.0.1"),
        ("http://10.0.0.5:8080/x@y", "10.0.0.5"),
        ("http://cam.example/snap?mail=a@b", "cam.example"),
        ("http://cam.example:80/a?u=http://b:c@d", "cam.example"),
        ("http://camera/x@y", "camera"),
        ("rtsp://[fe80::1]:554/x@y", "fe80::1"),
    ],
)
def test_an_at_sign_whose_meaning_is_certain_is_none_of_a_login(url: str, host: str) -> None:
    (camera,) = parse_sources(url)
    assert camera.target == url
    assert urlsplit(url).hostname == host
