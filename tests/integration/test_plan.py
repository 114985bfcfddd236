"""`framefleet plan` as a process: it measures real detectors and a real broker, and leaves nothing behind."""

import json

import pytest

from cli.rabbitmq import RabbitMQNode
from tests.helpers.tool import framefleet

pytestmark = pytest.mark.integration
NOWHERE = "amqp://guest:guest@127.0.0.1:1/"


async def test_it_measures_this_machine_without_a_broker() -> None:
    said = await framefleet(
        NOWHERE, "plan", "--cameras", "50", "--fps", "2", "--model", "haar", "--motion", "0.5", "--json"
    )
    assert said.status == 0, said.err
    found = json.loads(said.out)
    assert found["measured"]["model"].startswith("haar")
    assert found["frames_per_second"] == 50
    for name in ("worker_frame", "fetch", "gate", "yardstick"):
        assert 0 < found["measured"][name] < 1000, name
    for name in ("worker_bytes", "producer_bytes"):
        assert 40e6 < found["measured"][name] < 1e9, name
    # Haar takes many times what anything else of a frame does.
    assert found["cpu_ms"]["worker"] > 2 * found["cpu_ms"]["broker"]
    assert found["broker"] is None


async def test_a_broker_is_measured_and_left_as_it_was(rabbitmq: str, shared_rabbitmq: RabbitMQNode) -> None:
    said = await framefleet(
        rabbitmq, "plan", "--cameras", "9", "--fps", "1", "--model", "haar", "--broker", "--json"
    )
    assert said.status == 0, said.err
    found = json.loads(said.out)
    assert 0.1 < found["broker"]["broker"] < 50
    assert found["cpu_ms"]["broker"] == found["broker"]["broker"]
    assert shared_rabbitmq.password not in said.out + said.err
    vhost = rabbitmq.rsplit("/", 1)[1]
    assert shared_rabbitmq.ctl("list_queues", "--vhost", vhost, "name", "--no-table-headers").strip() == ""


@pytest.mark.parametrize(
    ("arguments", "says", "status"),
    [
        (("--model", "nonesuch"), "there is no model 'nonesuch'", 1),
        (("--size", "big"), "as 640x480", 2),
        (("--broker",), "cannot connect to RabbitMQ", 1),
    ],
)
async def test_an_error_is_one_sentence(arguments: tuple[str, ...], says: str, status: int) -> None:
    said = await framefleet(NOWHERE, "plan", "--cameras", "9", "--fps", "1", *arguments)
    assert said.status == status
    assert says in said.err
    assert "Traceback" not in said.err
    assert not said.out
