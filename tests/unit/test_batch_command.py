"""`framefleet batch`, called wrongly: exit status 2, a sentence, and no job."""

from pathlib import Path

import pytest

from cli.__main__ import run as main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name what is to be computed"),
        (["{photo}", "--output", "o.txt"], "--output o.txt"),
        (["{photo}", "--output", "none/o.csv"], "there is no such folder"),
        (["{photo}", "--concurrency", "0"], "--concurrency 0"),
        (["{photo}", "--job", "a b"], "a job's name"),
        (["--job", "none"], "there is no job none"),
        (["--delete"], "--delete needs --job"),
        (["--job", "none", "--delete"], "there is no job none"),
        (["photo.jpeg"], "Did you mean photo.jpg?"),
        (["{photo}", "--every", "-1"], "'-1': seconds, 0 to 3600"),
        (["{photo}", "--every", "3601"], "seconds, 0 to 3600"),
        (["{photo}", "--nonsense"], "--nonsense"),
    ],
)
def test_a_wrong_command_is_2_and_makes_no_job(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"x")
    jobs = tmp_path / "jobs"
    monkeypatch.chdir(tmp_path)
    given = [each.format(photo="photo.jpg") for each in arguments]
    try:
        status = main(["batch", "--jobs", str(jobs), *given])
    except SystemExit as error:  # as argparse ends
        status = error.code if isinstance(error.code, int) else 1
    assert status == 2
    assert said in capsys.readouterr().err
    assert not jobs.exists() or list(jobs.iterdir()) == []
