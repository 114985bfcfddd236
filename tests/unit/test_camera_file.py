"""cameras.yaml: what holds for each camera, and what is told of the rest."""

import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from contract.topology import Lane
from producer.catalogue.file.cameras import CameraConfig, CameraFile
from producer.catalogue.file.keys import CAMERA, KNOWN, SharedKeys
from producer.catalogue.file.reader import MAX_BYTES, MAX_CAMERAS, read_cameras
from producer.catalogue.grammar import CameraSpec
from producer.errors import FileProblem, InvalidCameraFile

PARSERS = 12.0
"""Reading a file may take so many times what its YAML alone takes: 7 to 8 on a quiet machine."""
SNAPSHOT = "http://10.0.0.7/snapshot.jpg"


def read(text: str) -> CameraFile:
    return read_cameras(dedent(text).encode(), {})


def refused(text: str) -> list[str]:
    with pytest.raises(InvalidCameraFile) as raised:
        read(text)
    return [str(problem) for problem in raised.value.problems]


def told(file: CameraFile) -> list[str]:
    return [str(problem) for problem in file.problems]


def test_a_camera_needs_an_id_and_a_source_and_has_the_producers_settings_otherwise() -> None:
    file = read(f"cameras: [{{id: gate-3, source: '{SNAPSHOT}'}}]")
    camera = file.cameras["gate-3"]
    assert camera == CameraConfig(CameraSpec("gate-3", "snapshot", SNAPSHOT), "gate-3")
    assert (camera.fps, camera.lane, camera.model, camera.enabled) == (None, None, None, True)
    assert file.problems == ()


def test_every_key_arrives() -> None:
    file = read(
        """
        cameras:
          - id: gate-3
            name: Gate 3, left
            group: yard
            source: webcam:2
            location: South fence
            district: Harbour
            fps: 2.5
            lane: gpu
            model: "yunet , haar:vote"
            enabled: no
            priority: 3
            masks: [[[0, 0], [0.5, 0], [0.5, 1e0]]]
        groups: {yard: }
        """
    )
    assert file == CameraFile(
        {
            "gate-3": CameraConfig(
                CameraSpec("gate-3", "webcam", "2"),
                "Gate 3, left",
                "yard",
                "South fence",
                "Harbour",
                2.5,
                Lane.GPU,
                "yunet,haar:vote",
                False,
                3,
                (((0.0, 0.0), (0.5, 0.0), (0.5, 1.0)),),
            )
        }
    )


def test_a_camera_is_above_its_group_and_the_group_above_the_defaults() -> None:
    file = read(
        """
        defaults: {fps: 1, priority: 1, district: Centre}
        groups:
          yard: {fps: 2, priority: 2}
        cameras:
          - {id: a, source: demo:1}
          - {id: b, source: demo:1, group: yard}
          - {id: c, source: demo:1, group: yard, fps: 3}
        """
    )
    got = {name: (each.fps, each.priority, each.district) for name, each in file.cameras.items()}
    assert got == {"a": (1, 1, "Centre"), "b": (2, 2, "Centre"), "c": (3, 2, "Centre")}


SHARED_TEXTS: dict[str, Any] = {
    "location": st.sampled_from(["Hall", "007", "no"]),
    "district": st.sampled_from(["North", "1_000"]),
    "fps": st.sampled_from(["0", "12.5"]),
    "lane": st.sampled_from(["live", "batch"]),
    "remote": st.sampled_from(["true", "no"]),
    "model": st.sampled_from(["yunet", "haar"]),
    "enabled": st.sampled_from(["true", "off"]),
    "priority": st.sampled_from(["1", "100"]),
    "masks": st.sampled_from(["[]", "[[[0,0],[1,0],[1,1]]]"]),
    "motion": st.sampled_from(["on", "off"]),
    "motion_threshold": st.sampled_from(["10", "20.5"]),
    "motion_area": st.sampled_from(["0.01", "0.9"]),
    "refresh": st.sampled_from(["0", "60"]),
    "health": st.sampled_from(["yes", "no"]),
    "longer_side": st.sampled_from(["640", "1280"]),
    "timeout": st.sampled_from(["5", "30"]),
    "tls": st.sampled_from(["verify", "off"]),
    "hosts": st.sampled_from(["[]", "[cdn.example, '*.cam.example:8443']"]),
    "tls_verify": st.sampled_from(["yes", "no"]),
    "tls_fingerprint": st.sampled_from([f"sha256:{'ab' * 32}", ":".join(["CD"] * 32)]),
}
LAYERS = st.fixed_dictionaries({}, optional=SHARED_TEXTS)


@given(LAYERS, LAYERS, LAYERS)
def test_layers_are_as_if_the_camera_had_said_it_all(
    defaults: dict[str, str], group: dict[str, str], own: dict[str, str]
) -> None:
    def flow(layer: dict[str, str]) -> str:
        return "{" + ", ".join(f"{key}: {value}" for key, value in layer.items()) + "}"

    base = {"id": "a", "source": "demo:1", "group": "yard"}
    layered = read(
        f"defaults: {flow(defaults)}\ngroups: {{yard: {flow(group)}}}\ncameras: [{flow(base | own)}]"
    )
    flat = read(f"groups: {{yard: }}\ncameras: [{flow(base | defaults | group | own)}]")
    assert layered == flat
    assert not layered.problems


def test_the_layers_of_the_test_above_have_every_key() -> None:
    assert SHARED_TEXTS.keys() == SharedKeys.__annotations__.keys()


def test_texts_stay_as_they_are_written() -> None:
    file = read(
        """
        cameras:
          - {id: 007, name: no, source: demo:1, location: 12:30, district: 0x10}
        """
    )
    camera = file.cameras["007"]
    assert (camera.name, camera.location, camera.district) == ("no", "12:30", "0x10")


@pytest.mark.parametrize("name", ["Dağ evi №5", "می‌خواهم", "👨‍👩‍👧", "क्‍ष"])
def test_names_are_in_any_language(name: str) -> None:
    assert read(f"cameras: [{{id: a, source: demo:1, name: {name}}}]").cameras["a"].name == name


def test_a_quoted_null_is_a_text() -> None:
    assert read("cameras: [{id: 'null', source: demo:1, name: '~'}]").cameras["null"].name == "~"


@pytest.mark.parametrize(("word", "enabled"), [("True", True), ("ON", True), ("yes", True), ("No", False)])
def test_switches_are_words_in_any_case(word: str, enabled: bool) -> None:
    assert read(f"cameras: [{{id: a, source: demo:1, enabled: {word}}}]").cameras["a"].enabled is enabled


def test_an_anchor_may_share_masks_among_cameras() -> None:
    file = read(
        """
        cameras:
          - {id: a, source: demo:1, masks: &sky [[[0, 0], [1, 0], [1, 0.2]]]}
          - {id: b, source: demo:1, masks: *sky}
        """
    )
    assert file.cameras["a"].masks == file.cameras["b"].masks != ()


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("fsp: 2", "fsp' is not a key: did you mean fps?"),
        ("FPS: 2", "FPS' is not a key: did you mean fps?"),
        ("zzzzz: 2", "zzzzz' is not a key; known are id, source, name, group, location, district, fps,"),
        ("? [a]\n    : 2", "(no word)' is not a key"),
        ("<<: {fps: 2}", "<< is not known here: cameras share values by `group` and `defaults`"),
        ("fps: fast", "fps: 'fast' is not a number"),
        ("fps: .nan", "fps: '.nan' is not a number"),
        ("fps: 1_0", "fps: '1_0' is not a number"),
        ("fps: -1", "fps: '-1' is not within 0 and 1000"),
        ("fps: 1e400", "fps: '1e400' is not within 0 and 1000"),
        ("fps:", "fps: there is no value: give one, or leave the key out"),
        ("fps: ~", "fps: there is no value"),
        ("name: ' '", "name: there is no value"),
        ("fps: [2]", "fps: one value is meant, not a list"),
        ("fps: {a: 2}", "fps: one value is meant, not a group of keys"),
        ("name: !secret x", "name: the tag '!secret' is not known; secrets are written ${NAME}"),
        ("name: " + "n" * 101, "name: 101 characters are too many: at most 100"),
        ('name: "a\\tb"', "name: a text of one line is meant"),
        ("lane: life", "lane: 'life' is not a lane: did you mean live?"),
        ("lane: 7", "lane: '7' is not a lane; known are live, batch, gpu"),
        ("model: 'yunet,yunet'", "model: 'yunet,yunet' names a model twice"),
        ("enabled: maybe", "enabled: 'maybe' is neither true nor false"),
        ("priority: 0", "priority: '0' is not within 1 and 100"),
        ("priority: 1.5", "priority: 1.5 is not a whole number"),
        ("priority: 0.5", "priority: 0.5 is not a whole number within 1 and 100"),
        ("priority: 1e400", "priority: '1e400' is not within 1 and 100"),
        ("priority: 1_0", "priority: '1_0' is not a number"),
        ("enabled: 1", "enabled: '1' is neither true nor false"),
        ("enabled: t", "enabled: 't' is neither true nor false"),
        ("motion: auto", "motion: 'auto' is neither true nor false"),
        ("motion_threshold: 0", "motion_threshold: '0' is not within 1 and 254"),
        ("motion_area: 1", "motion_area: '1' is not within 0.0001 and 0.9"),
        ("refresh: 86400", "refresh: '86400' is not within 0 and 3600"),
        ("longer_side: 640.5", "longer_side: 640.5 is not a whole number"),
        ("timeout: 0", "timeout: '0' is not within 1 and 120"),
        ("tls_verify: self-signed", "tls_verify: 'self-signed' is neither true nor false"),
        ("tls_fingerprint: sha1:abcd", "tls_fingerprint: 'sha1:abcd' is not a SHA-256 fingerprint"),
        (
            "tls: self-signed",
            "tls: 'self-signed' is none of verify, off and sha256: with 64 hexadecimal digits",
        ),
        ("tls: pin", "tls: 'pin' is not a certificate: to pin one, write its fingerprint, tls: sha256:..."),
        ("hosts: cdn.example", "hosts: a list of hosts is meant, not a single value"),
        (
            "hosts: [http://cdn.example/]",
            "hosts: 'http://cdn.example/' is not a host: write a name, *.name or an",
        ),
        ("group: gone", "group: there is no group 'gone': did you mean gone-1?"),
        ("group: 5", "group: there is no group '5'; known are gone-1"),
        ("masks: 5", "masks: a list of polygons is meant, not a single value"),
        ("masks: [[[0,0],[1,1]]]", "masks: a polygon has at least 3 corners, not 2"),
        ("masks: [[[0,0],[1,1],[0.5,0.5]]]", "masks: the corners lie on one line"),
        ("masks: [[[0,0],[1,1],[0.5]]]", "masks: a corner is two numbers, [x, y], not 1"),
        ("masks: [[[0,0],[1,1],[0.5,1,1]]]", "masks: a corner is two numbers, [x, y], not 3"),
        ("masks: [[0,0],[1,0],[1,1]]", "masks: a corner is two numbers, [x, y], not a single value"),
        ("masks: [[[0,0],[x,0],[1,1]]]", "masks: 'x' is not a number; corners are fractions of width"),
        (f"masks: {[[[0, 0], [1, 0]] * 51]}", "masks: at most 100 corners [x, y], not 102"),
        ("model: http://u:p@h/", "model: 'http://h/' is not a model name"),
        ("masks: [[[0,0],[640,0],[640,480]]]", "'640' is not within 0 and 1; corners are fractions of width"),
        (f"masks: {[[[0, 0], [1, 0], [1, 1]]] * 33}", "masks: at most 32 polygons, not 33"),
    ],
)
def test_a_bad_key_leaves_the_camera_out_and_is_told_with_its_line(entry: str, problem: str) -> None:
    text = (
        "groups: {gone-1: {}}\ncameras:\n  - {id: a, source: demo:1}\n"
        f"  - id: b\n    source: demo:1\n    {entry}\n"
        "  - {id: c, source: demo:1}\n"
    )
    file = read(text)
    assert list(file.cameras) == ["a", "c"]
    assert file.broken == {"b"}
    [only] = file.problems
    assert (only.line, only.camera_id) == (6, "b")
    assert only.text.startswith("camera b: ")
    assert problem in only.text


BAD_VALUES = st.sampled_from(
    ["", "~", "x", "-1", "1e400", "0.5", "1_0", "nan", "[x]", "{x: 1}", "!x y", "z" * 2_001]
)


@given(st.dictionaries(st.sampled_from(KNOWN), BAD_VALUES))
def test_no_value_is_told_in_pydantics_words(keys: dict[str, str]) -> None:
    entry = ", ".join(f"{key}: {value}" for key, value in {"id": "a", "source": "demo:1", **keys}.items())
    for problem in told(read(f"cameras: [{{{entry}}}]")):
        assert "nput should" not in problem
        assert "pydantic" not in problem


def test_every_key_says_what_it_means_and_no_bounds_are_told_wrong() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cameras.md").read_text()
    for key, schema in CAMERA.json_schema()["properties"].items():
        assert schema["description"]
        if "minimum" in schema and not key.startswith("motion_"):
            row = next(line for line in page.splitlines() if line.startswith(f"| `{key}`"))
            if key != "refresh":
                assert f"{schema['minimum']:g} to {schema['maximum']:g}" in row


def test_lines_are_exact_inside_of_values() -> None:
    file = read(
        """\
        cameras:
          - id: a
            source: demo:1
            masks:
              - - [0, 0]
                - [1, 0]
                - [1, 1]
              - - [0, 0]
                - [1, x]
                - [1, 1]
          - id: a.b
            source: demo:1
          - just text
          - source: demo:1
        """
    )
    assert [(each.line, each.text.partition(":")[0]) for each in file.problems] == [
        (9, "camera a"),
        (11, "camera number 2"),
        (13, "camera number 3"),
        (14, "camera number 4"),
    ]


def test_all_faults_of_a_camera_are_told_at_once() -> None:
    assert told(read("cameras:\n  - id: a\n    fps: x\n    nmae: y")) == [
        "line 2: camera a: there is no source",
        "line 3: camera a: fps: 'x' is not a number",
        "line 4: camera a: 'nmae' is not a key: did you mean name?",
    ]


def test_what_is_there_twice_is_told_with_both_lines() -> None:
    file = read(
        """\
        groups:
          yard: {fps: 1}
          yard: {fps: 2}
        cameras:
          - id: a
            source: demo:1
            fps: 1
            fps: 2
          - {id: b, source: demo:1}
          - {id: b, source: webcam:0}
          - {id: c, source: demo:1, group: yard}
        """
    )
    assert told(file) == [
        "line 3: groups: group 'yard' is there twice, first in line 2 (cameras left out: 1)",
        "line 8: camera a: fps is there twice, first in line 7",
        "line 10: camera b: there is one with the same id in line 9",
    ]
    assert {name: camera.spec.kind for name, camera in file.cameras.items()} == {"b": "demo"}
    assert file.broken == {"a", "c"}


def test_a_bad_id_hides_nothing_else_that_is_wrong_with_its_camera() -> None:
    file = read(
        """
        cameras:
          - {id: b, source: demo:1}
          - id: b
            fps: two
            source: http://10.0.0.7:99999/a.jpg
          - id: gate 3
            source: rtsp://u:${GATE_PASSWORD}@10.0.0.8/
          - maks: []
        """
    )
    assert [line.partition("; from")[0] for line in told(file)] == [
        "line 4: camera b: there is one with the same id in line 3",
        "line 5: camera b: fps: 'two' is not a number",
        "line 6: camera b: source: http://10.0.0.7:99999/a.jpg: the port is 1 to 65535",
        "line 7: camera number 3: id: 'gate 3' is no camera id: letters, digits, _ and -, at most 64",
        "line 8: camera number 3: source: there is no GATE_PASSWORD in cameras.env beside the file, or it is empty",
        "line 9: camera number 4: there is no id",
        "line 9: camera number 4: 'maks' is not a key: did you mean masks?",
        "line 9: camera number 4: there is no source",
    ]
    assert (set(file.cameras), file.broken) == ({"b"}, frozenset())


def test_what_is_there_three_times_is_told_with_the_first_line() -> None:
    assert refused("cameras: []\ncameras: []\ncameras: []") == [
        "line 2: cameras is there twice, first in line 1",
        "line 3: cameras is there twice, first in line 1",
    ]
    assert told(read("groups:\n  a: {}\n  a: {}\n  a: {}\ncameras: []")) == [
        "line 3: groups: group 'a' is there twice, first in line 2",
        "line 4: groups: group 'a' is there twice, first in line 2",
    ]


def test_a_fault_in_what_is_shared_is_told_once_and_spares_who_has_a_value_of_his_own() -> None:
    file = read(
        """\
        defaults:
          fps: fast
        groups:
          yard:
            maks: []
          hall:
            source: demo:1
          roof: {}
          empty: 5
        cameras:
          - {id: a, source: demo:1}
          - {id: b, source: demo:1, fps: 1}
          - {id: c, source: demo:1, fps: 1, group: yard}
          - {id: d, source: demo:1, fps: 1, group: roof}
          - {id: e, source: demo:1, fps: 1, group: empty}
        """
    )
    assert list(file.cameras) == ["b", "d"]
    assert file.broken == {"a", "c", "e"}
    assert told(file) == [
        "line 2: defaults: fps: 'fast' is not a number (cameras left out: 1)",
        "line 5: group 'yard': 'maks' is not a key: did you mean masks? (cameras left out: 1)",
        "line 7: group 'hall': source belongs to a camera: it cannot be shared",
        "line 9: groups: group 'empty' has keys below it, indented (cameras left out: 1)",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: nothing is in it: the file begins with `cameras:`"),
        ("# only a comment\n", "line 1: nothing is in it"),
        ("- id: a", "line 1: the file begins"),
        ("defaults: {fps: 1}", "line 1: there is no section `cameras`"),
        ("\ncamreas: []", "line 2: 'camreas' is not a section: did you mean cameras?"),
        ("cameras: {a: {source: demo}}", "line 1: below cameras comes a list"),
        ("cameras:", "line 1: below cameras comes a list"),
        ("cameras: []\ndefaults: 5", "line 2: below defaults come keys"),
        ("cameras: []\ngroups: [yard]", "line 2: below groups come keys"),
        ("cameras: []\ndefaults: {}\ncameras: []", "line 3: cameras is there twice, first in line 1"),
        ("cameras:\n  - id: a\n   source: b", "line 3: no valid YAML: "),
        ("cameras:\n\t- id: a", "line 2: no valid YAML: "),
        ("cameras: []\n---\ncameras: []", "line 2: no valid YAML: a second document begins"),
        ("cameras:\n  - *a", "line 2: no valid YAML: *a has no &a above"),
        ("cameras: &a [*a]", "line 1: no valid YAML: *a has no &a above"),
        ("cameras: " + "[" * 1_000_000, "line 1: no valid YAML: nested more than 32 times"),
        ("cameras: []\n# \x00", "line 2: no valid YAML: a character that YAML does not allow"),
    ],
)
def test_a_file_that_says_nothing_usable_is_refused_with_its_line(text: str, problem: str) -> None:
    assert refused(text)[0].startswith(problem)


def test_a_quote_that_is_not_closed_is_told_with_both_lines() -> None:
    [problem] = refused("cameras:\n  - id: a\n    source: 'demo:1\n  - id: b\n")
    assert problem.startswith("line 5: no valid YAML: ")
    assert ", while scanning a quoted scalar from line 3 on: a quotation mark" in problem


def test_bytes_that_are_no_text_are_refused_with_their_line() -> None:
    with pytest.raises(
        InvalidCameraFile, match="line 2: no valid YAML: a character that YAML does not allow"
    ):
        read_cameras(b"cameras: []\n# \xff\xfe", {})


def test_a_file_or_a_list_that_is_too_large_is_refused() -> None:
    with pytest.raises(InvalidCameraFile, match="the file has more than 16 MiB"):
        read_cameras(b" " * (MAX_BYTES + 1), {})
    many = "[" + "0," * (MAX_CAMERAS + 1) + "]"
    assert refused(f"cameras: {many}") == [
        f"line 1: {MAX_CAMERAS + 1} cameras are too many for one file: at most 10000"
    ]


@pytest.mark.parametrize("prefix", [b"\xef\xbb\xbf", b""])
def test_an_empty_list_is_a_file_without_cameras(prefix: bytes) -> None:
    assert read_cameras(prefix + b"cameras: []\r\ndefaults:\r\ngroups: ~\r\n", {}) == CameraFile()


@given(
    st.binary(max_size=200)
    | st.text(alphabet="cameras:-[]{}&*!'\"\n \t#idsource?|>$", max_size=80).map(str.encode)
)
def test_whatever_is_in_the_file_the_answer_is_cameras_or_problems(data: bytes) -> None:
    for content in (data, b"cameras:\n" + data, b"cameras:\n  - id: a\n    source: " + data):
        try:
            file = read_cameras(content, {})
        except InvalidCameraFile as error:
            file = CameraFile(problems=error.problems, broken=frozenset({"all of it"}))
        assert all(problem.line > 0 and problem.text for problem in file.problems)
        assert file.problems or not file.broken
        assert file.broken.isdisjoint(file.cameras)


def test_neither_keys_nor_values_in_messages_show_credentials() -> None:
    file = read(
        """
        cameras:
          - id: http://u:hunter2@h/
            source: demo:1
          - id: b
            source: demo:1
            http://u:hunter2@h/: x
            lane: http://u:hunter2@h/
            model: http://u:hunter2@h/
            group: http://u:hunter2@h/
        """
    )
    assert len(file.problems) == 5
    assert "hunter2" not in str(file)


def test_a_problem_without_a_line_says_none() -> None:
    assert [str(FileProblem(0, "x")), str(FileProblem(3, "x"))] == ["x", "line 3: x"]


# --- size -----------------------------------------------------------------------------------------------


@pytest.mark.alone
def test_ten_thousand_cameras_take_two_seconds_of_cpu() -> None:
    entries = [
        f"  - id: cam-{n}\n    name: Camera {n}\n    group: g{n % 50}\n    fps: 2\n"
        f"    source: http://u:${{P}}@10.0.{n >> 8}.{n & 255}/snapshot.jpg\n"
        "    masks:\n      - [[0, 0], [0.5, 0], [0.5, 0.5]]\n"
        for n in range(MAX_CAMERAS)
    ]
    groups = "".join(f"  g{n}: {{district: D{n}}}\n" for n in range(50))
    data = f"defaults: {{priority: 2}}\ngroups:\n{groups}cameras:\n{''.join(entries)}".encode()

    def seconds(read: Callable[[], object]) -> float:
        start = time.process_time()
        read()
        return time.process_time() - start

    def ours() -> None:
        assert len(read_cameras(data, {"P": "x"}).cameras) == MAX_CAMERAS

    def parser() -> None:
        assert sum(1 for _ in yaml.parse(data, yaml.CSafeLoader)) > MAX_CAMERAS

    # Of a machine that is slower than the usual one, the parser alone tells how much slower.
    assert any(seconds(ours) < max(2.0, PARSERS * seconds(parser)) for _ in range(3)), "the best of three"


@pytest.mark.alone
def test_thousands_of_bad_cameras_and_groups_take_no_longer() -> None:
    entries = [f"  - {{id: cam-{n}, source: demo:1, group: h{n}, fsp{n}: 1}}\n" for n in range(2_000)]
    groups = "".join(f"  g{n}: {{}}\n" for n in range(2_000))
    start = time.process_time()
    file = read_cameras(f"groups:\n{groups}cameras:\n{''.join(entries)}".encode(), {})
    assert len(file.problems) == 4_000
    assert time.process_time() - start < 2.0
