"""A minute of the soak. SOAK_SECONDS and SOAK_SEED choose others; `make soak` runs it alone, for half an hour."""

import os
from pathlib import Path

import pytest

from tests.faults.soak import soak
from tests.helpers.components import require

SECONDS = float(os.environ.get("SOAK_SECONDS", "60"))

pytestmark = [pytest.mark.faults, pytest.mark.timeout(SECONDS + 300)]


async def test_random_faults_lose_nothing(tmp_path: Path) -> None:
    require("rabbitmq-server")
    run, books = await soak(tmp_path, SECONDS, int(os.environ.get("SOAK_SEED", "1")), print)
    assert not books.open
    assert run.faults.total() >= SECONDS / 20
    assert run.forced == 0
