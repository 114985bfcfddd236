"""Knobs are checked before anything is installed or started, and errors say what would do."""

import socket
from pathlib import Path

import pytest

from cli.errors import KnobError
from cli.knobs import broker_addresses, check_names, read_knobs

EVERY = "0.0.0.0"  # noqa: S104


def test_without_knobs_there_is_a_worker_per_core_the_demo_and_a_private_broker(tmp_path: Path) -> None:
    knobs = read_knobs({}, tmp_path)
    assert knobs.workers >= 1
    assert knobs.source == "demo"
    assert knobs.own_broker
    assert (knobs.port, knobs.model_dir) == (None, None)


def test_empty_knobs_count_as_not_given(tmp_path: Path) -> None:
    given = dict.fromkeys(("WORKERS", "SOURCE", "PORT", "MODEL_DIR", "AMQP_URL"), " ")
    assert read_knobs(given, tmp_path) == read_knobs({}, tmp_path)


def test_no_worker_is_legal(tmp_path: Path) -> None:
    assert read_knobs({"WORKERS": "0"}, tmp_path).workers == 0


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("WORKERS", "abc", "whole number"),
        ("WORKERS", "-1", "whole number"),
        ("WORKERS", "2.5", "whole number"),
        ("WORKERS", "100000", "from 0 to 512"),
        ("PORT", "http", "from 1 to 65535"),
        ("PORT", "70000", "from 1 to 65535"),
        ("SOURCE", "nothing-here.mp4", "no file or folder 'nothing-here.mp4'"),
        ("SOURCE", "demo,", "no file or folder ''"),
        ("SOURCE", "demo:0", "no file or folder"),
        ("SOURCE", "gate=gone.mp4", "'gone.mp4'"),
        ("HOST", "phone", "without http:// or a port"),
        ("HOST", "http://192.168.1.5", "without http:// or a port"),
        ("HOST", "192.168.1.5:8080", "that is PORT="),
        ("HOST", "1", "HOST=0.0.0.0 for all"),
        ("HOST", "*", "HOST=0.0.0.0 for all"),
        ("HOST", "0.0.0", "HOST=0.0.0.0 for all"),
        ("HOST", "192.0.2.77", "does not have that address"),
        ("HOST", "2001:db8::7", "does not have that address"),
        ("MODEL_DIR", "no-models", "no such folder"),
        ("AMQP_URL", "http://broker", "amqp://user:password@host"),
        ("AMQP_URL", "amqp://host:port/", "amqp://user:password@host"),
    ],
)
def test_a_wrong_knob_is_named_with_what_would_do(name: str, value: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(KnobError, match=name) as error:
        read_knobs({name: value}, tmp_path)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("given", "host"),
    [
        (EVERY, EVERY),
        (" :: ", "::"),
        ("[::1]", "::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", ""),
        (socket.gethostname(), ""),  # as tcsh has it in the environment
        ("", ""),
    ],
)
def test_the_dashboard_may_be_for_the_network(given: str, host: str, tmp_path: Path) -> None:
    assert read_knobs({"HOST": given}, tmp_path).host == host


def test_without_authentication_it_stays_on_this_machine(tmp_path: Path) -> None:
    with pytest.raises(KnobError, match=r"HOST=0\.0\.0\.0: refused with GATEWAY_AUTH=off: everybody"):
        read_knobs({"HOST": EVERY, "GATEWAY_AUTH": "off"}, tmp_path)
    assert read_knobs({"HOST": "127.0.0.1", "GATEWAY_AUTH": "off"}, tmp_path).host == "127.0.0.1"


def test_every_wrong_knob_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(KnobError) as error:
        read_knobs({"WORKERS": "x", "PORT": "y", "SOURCE": "z.avi"}, tmp_path)
    assert len(str(error.value).splitlines()) == 3


def test_a_brokers_password_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(KnobError) as error:
        read_knobs({"AMQP_URL": "amq://me:hush@host/"}, tmp_path)
    assert "hush" not in str(error.value)


def test_paths_become_absolute_and_keep_their_camera(tmp_path: Path) -> None:
    (tmp_path / "yard.mp4").touch()
    (tmp_path / "models").mkdir()
    knobs = read_knobs({"SOURCE": "gate=yard.mp4, demo:2,webcam:0", "MODEL_DIR": "models"}, tmp_path)
    assert knobs.source == f"gate={tmp_path / 'yard.mp4'},demo:2,webcam:0"
    assert knobs.model_dir == tmp_path / "models"


def test_addresses_are_taken_as_they_are(tmp_path: Path) -> None:
    source = "gate=rtsp://user:a=b@10.0.0.8/stream1,http://10.0.0.7/snap.jpg?size=2"
    assert read_knobs({"SOURCE": source}, tmp_path).source == source


def test_a_folder_may_be_empty_or_still_to_come(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    assert read_knobs({"SOURCE": "pictures"}, tmp_path).source == str(tmp_path / "pictures")
    assert read_knobs({"SOURCE": "gate=uploads/"}, tmp_path).source == f"gate={tmp_path}/uploads/"


def test_a_misspelt_knob_of_make_is_noticed() -> None:
    check_names("WORKERS SOURCE quiet")
    with pytest.raises(KnobError, match="did you mean WORKERS"):
        check_names("WORKER")


@pytest.mark.parametrize(
    ("given", "meant"),
    [("workers", "WORKERS"), ("SUORCE", "SOURCE"), ("port", "PORT"), ("MODELDIR", "MODEL_DIR")],
)
def test_a_knob_may_be_misspelt_in_lower_case_too(given: str, meant: str) -> None:
    with pytest.raises(KnobError, match=f"{given} is not a knob: did you mean {meant}"):
        check_names(f"PORT {given}")
    check_names("PORT WORKERS verbose")


@pytest.mark.parametrize(
    ("source", "meant"),
    [("dmeo", "demo"), ("gate=non", "none"), ("rtps://camera/1", "rtsp://"), ("htpp://camera/1", "http://")],
)
def test_a_misspelt_source_is_answered_with_the_right_word(source: str, meant: str, tmp_path: Path) -> None:
    with pytest.raises(KnobError, match=f"Did you mean {meant}"):
        read_knobs({"SOURCE": source}, tmp_path)


def test_broker_addresses_have_the_usual_ports() -> None:
    urls = "amqp://a/,amqps://u:p@b/v, amqp://[::1]:5673/"
    assert broker_addresses(urls) == [("a", 5672), ("b", 5671), ("::1", 5673)]


def test_a_file_of_cameras_takes_the_place_of_source(tmp_path: Path) -> None:
    (tmp_path / "cameras.yaml").write_text("cameras: []")
    knobs = read_knobs({"CAMERAS": "cameras.yaml"}, tmp_path)
    assert knobs.cameras == tmp_path / "cameras.yaml"
    assert knobs.own_producer
    with pytest.raises(KnobError, match="leave one of them out"):
        read_knobs({"CAMERAS": "cameras.yaml", "SOURCE": "demo"}, tmp_path)
    with pytest.raises(KnobError, match=r"CAMERAS=gone\.yaml: there is no such file"):
        read_knobs({"CAMERAS": "gone.yaml"}, tmp_path)
