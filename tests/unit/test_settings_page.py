"""docs/settings.md has every setting that there is, as it is."""

import re

import pytest

from cli import settings_page
from cli.knobs import NAMES
from gateway.settings import GatewaySettings
from producer.settings import ProducerSettings
from runtime.settings import ServiceSettings, environment_names
from tests.helpers.processes import ROOT
from worker.settings import WorkerSettings

PAGE = (ROOT / "docs/settings.md").read_text()
ROWS = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in PAGE.splitlines()
    if line.startswith("| `")
]
LISTED = {row[0].split("`")[1] for row in ROWS}


def test_the_page_is_made_from_the_settings() -> None:
    assert settings_page.text() == PAGE, "python -m cli.settings_page > docs/settings.md"


@pytest.mark.parametrize("settings", [ServiceSettings, WorkerSettings, ProducerSettings, GatewaySettings])
def test_every_setting_of_every_service_is_there(settings: type[ServiceSettings]) -> None:
    assert set(environment_names(settings)) <= LISTED


def test_every_knob_and_every_variable_of_compose_is_there() -> None:
    compose = [ROOT / "docker-compose.yml", *(ROOT / "deploy").glob("compose.*.yml")]
    read = set(re.findall(r"\$\{(\w+)", "\n".join(file.read_text() for file in compose)))
    assert read - {"AMQP_HOSTS"} <= LISTED  # which compose.ha.yml sets for the services
    assert set(NAMES) <= LISTED


def test_every_setting_has_its_meaning_and_an_example() -> None:
    for row in ROWS:
        assert len(row) == 5, row
        name, _, _, meaning, example = row
        assert meaning, name
        assert re.fullmatch(rf"`{name.split('`')[1]}=.+`", example), row


def test_every_number_has_its_unit_or_its_bounds() -> None:
    for row in ROWS:
        if re.fullmatch(r"`\d+(\.\d+)?`", row[1]):
            assert row[2] or row[0] == "`SEED`", row
