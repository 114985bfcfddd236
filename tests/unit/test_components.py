"""What a test cannot do without: skipped by a person, never by CI, which uses what lies beside its clone."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers.components import lacking, real_footage, real_yunet, require, require_package
from tests.helpers.processes import ROOT

Skipped, Failed = pytest.skip.Exception, pytest.fail.Exception


def test_a_person_skips_what_is_missing_and_ci_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(Skipped, match="no such thing"):
        lacking("no such thing")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(Failed, match="no such thing"):
        lacking("no such thing")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(Failed, match="promtool is not installed: `make test` installs it"):
        require("promtool")
    with pytest.raises(Failed, match="the Python package nosuchpackage is not installed"):
        require_package("nosuchpackage")


def test_what_no_registry_has_is_skipped_only_where_nobody_said_where_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CI", "true")
    for get, variable in ((real_yunet, "MODEL_DIR"), (real_footage, "FOOTAGE_DIR")):
        monkeypatch.delenv(variable, raising=False)
        with pytest.raises(Skipped, match=f"not here: .*{variable} names a folder"):
            get()
        monkeypatch.setenv(variable, str(tmp_path))
        with pytest.raises(Failed, match=f"{variable} has no"):
            get()


@pytest.mark.parametrize("beside", [True, False])
def test_ci_uses_what_lies_beside_its_clone(tmp_path: Path, beside: bool) -> None:
    (tmp_path / "clone/.ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci/run", tmp_path / "clone/.ci/run")
    if beside:
        (tmp_path / "shared/models").mkdir(parents=True)
        (tmp_path / "shared/data/videos").mkdir(parents=True)
    make = tmp_path / "bin/make"
    make.parent.mkdir()
    make.write_text('#!/bin/sh\necho "$* CI=$CI MODEL_DIR=${MODEL_DIR-} FOOTAGE_DIR=${FOOTAGE_DIR-}"\n')
    make.chmod(0o755)
    environment = {"PATH": f"{make.parent}:{os.environ['PATH']}"}
    said = subprocess.run(
        ["bash", tmp_path / "clone/.ci/run"], env=environment, capture_output=True, text=True, timeout=20
    )
    models, videos = (tmp_path / "shared/models", tmp_path / "shared/data/videos") if beside else ("", "")
    assert said.stdout == f"test CI=true MODEL_DIR={models} FOOTAGE_DIR={videos}\n", said.stderr
