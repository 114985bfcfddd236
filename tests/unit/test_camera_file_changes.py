"""What a new state of cameras.yaml means for the cameras that run."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.catalogue.file.cameras import CameraConfig, CameraFile
from producer.catalogue.file.changes import CatalogueChanges, compare, keep_broken
from producer.catalogue.file.reader import read_cameras
from producer.catalogue.settings import CameraSettings, of_config
from producer.settings import ProducerSettings

NEW_VALUES = {
    "source": ("webcam:1", True),
    "fps": ("7", True),
    "enabled": ("false", True),
    "name": ("Another", False),
    "location": ("Elsewhere", False),
    "district": ("South", False),
    "lane": ("batch", False),
    "model": ("haar", False),
    "priority": ("9", False),
    "masks": ("[[[0, 0], [1, 0], [1, 1]]]", False),
    "motion": ("on", False),
    "motion_threshold": ("20", False),
    "motion_area": ("0.01", False),
    "refresh": ("60", False),
    "health": ("on", False),
    "longer_side": ("640", False),
    "timeout": ("30", True),
    "tls": ("off", True),
    "hosts": ("[cdn.example]", True),
    "tls_verify": ("no", True),
    "tls_fingerprint": ("'" + "ab" * 32 + "'", True),
    "group": ("yard", False),
    "remote": ("yes", False),
}


def file(cameras: Mapping[str, Mapping[str, str]]) -> CameraFile:
    entries = (
        "{"
        + ", ".join(f"{key}: {value}" for key, value in {"id": name, "source": "demo:1", **keys}.items())
        + "}"
        for name, keys in cameras.items()
    )
    return read_cameras(f"groups: {{yard: }}\ncameras: [{', '.join(entries)}]".encode(), {})


def want(file: CameraFile, camera_id: str = "a") -> CameraSettings:
    return of_config(file.cameras[camera_id], ProducerSettings(id="p"))


def test_added_removed_and_changed() -> None:
    before = file({"a": {}, "b": {}, "c": {}})
    after = file({"d": {}, "c": {"fps": "2"}, "a": {}})
    changes = compare(before, after)
    assert changes == CatalogueChanges(added=("d",), removed=("b",), changed=("c",))
    assert changes


def test_the_same_is_no_change() -> None:
    assert (
        compare(file({"a": {}, "b": {"fps": "2"}}), file({"b": {"fps": "2.0"}, "a": {}}))
        == CatalogueChanges()
    )
    assert not CatalogueChanges()


@pytest.mark.parametrize(("key", "value", "reopen"), [(key, *new) for key, new in NEW_VALUES.items()])
def test_only_what_a_source_is_opened_with_opens_it_again(key: str, value: str, reopen: bool) -> None:
    before, after = file({"a": {}}), file({"a": {key: value}})
    assert compare(before, after).changed == ("a",)
    assert want(after).reopens(want(before)) is reopen


def test_every_key_is_in_the_test_above() -> None:
    fields = {"spec" if key == "source" else key for key in NEW_VALUES}
    assert fields == set(CameraConfig.__dataclass_fields__)


def test_a_password_that_changed_opens_the_source_again() -> None:
    text = b"cameras: [{id: a, source: 'http://u:${P}@h/'}]"
    before, after = read_cameras(text, {"P": "old"}), read_cameras(text, {"P": "new"})
    assert compare(before, after).changed == ("a",)
    assert want(after).reopens(want(before))


def test_a_camera_that_breaks_goes_on_as_it_was_and_one_that_was_never_valid_does_not_run() -> None:
    before = file({"a": {}, "b": {"priority": "2"}, "c": {}})
    after = keep_broken(before, file({"a": {"fps": "2"}, "b": {"fps": "x"}, "new": {"fps": "x"}}))
    assert after.cameras["b"] == before.cameras["b"]
    assert after.cameras.keys() == {"a", "b"}
    assert after.broken == {"b", "new"}
    assert len(after.problems) == 2
    changes = compare(before, after)
    assert changes == CatalogueChanges(removed=("c",), changed=("a",))


STATES = st.dictionaries(
    st.sampled_from("abcde"),
    st.fixed_dictionaries(
        {}, optional={"fps": st.sampled_from(["1", "2", "x"]), "name": st.sampled_from(["n", "m"])}
    ),
)


@given(STATES, STATES)
def test_changes_lead_from_one_state_to_the_other(
    first: dict[str, dict[str, str]], second: dict[str, dict[str, str]]
) -> None:
    before = file(first)
    after = keep_broken(before, file(second))
    changes = compare(before, after)
    running = dict(before.cameras)
    for camera_id in changes.removed:
        del running[camera_id]
    for camera_id in changes.changed:
        assert running[camera_id] != after.cameras[camera_id]
        running[camera_id] = after.cameras[camera_id]
    for camera_id in changes.added:
        assert camera_id not in running
        running[camera_id] = after.cameras[camera_id]
    assert running == dict(after.cameras)
    assert bool(changes) == (dict(before.cameras) != dict(after.cameras))
