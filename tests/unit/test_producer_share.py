"""The cameras that a producer serves: which of them take turns, and so have a weight that other producers hear of."""

from prometheus_client import CollectorRegistry

from broker import AsyncioLoop, Link
from contract.task import TaskForm
from contract.topology import Lane
from producer.camera.share import Share
from producer.catalogue.roster import Roster
from producer.catalogue.settings import CameraSettings
from producer.lane.lanes import Lanes
from producer.lane.message import Form
from producer.metrics import ProducerMetrics
from producer.settings import ProducerSettings
from tests.helpers.cameras import camera_settings


async def lanes_of(*cameras: CameraSettings) -> Lanes:
    """The lanes of a producer that has taken up these cameras."""
    settings, metrics = ProducerSettings(id="p"), ProducerMetrics(CollectorRegistry())
    lanes = Lanes(Link(AsyncioLoop(), ["amqp://nowhere"], "test"), Form(TaskForm.COMPACT, 85, "p", 2.0))
    share = Share(settings, Roster(cameras, settings, metrics), lanes, metrics, lambda camera: None)
    share.serve(frozenset(one.camera_id for one in cameras))
    await share.close()
    return lanes


async def test_a_camera_that_takes_turns_has_its_priority_as_weight() -> None:
    lanes = await lanes_of(camera_settings(priority=3.0), camera_settings("other"))
    assert {name: load.weight for name, load in lanes.loads.items()} == {"live": 4.0}
    assert lanes.cameras == 2


async def test_one_whose_frames_must_not_be_lost_takes_no_turns_and_has_no_weight() -> None:
    lanes = await lanes_of(camera_settings(lossless=True, lane=Lane.BATCH))
    assert (lanes.cameras, lanes.loads, lanes.window) == (0, {}, 0)


async def test_one_that_is_switched_off_has_no_weight_beside_the_others() -> None:
    lanes = await lanes_of(camera_settings("off", enabled=False), camera_settings(priority=3.0))
    assert {name: load.weight for name, load in lanes.loads.items()} == {"live": 3.0}
