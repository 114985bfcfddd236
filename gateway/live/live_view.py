"""The live view: what viewers are shown of cameras and nodes, and how much of the gateway they may have for it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from gateway.cameras.admission import Admission
from gateway.history.states import StateLog
from gateway.knowledge import Knowledge
from gateway.live.allotment import Allotment
from gateway.live.client import ClientBudgets
from gateway.live.first_pictures import FirstPictures
from gateway.live.hub import Hub
from gateway.live.paint_ages import PaintAges
from gateway.live.results import LiveResults
from gateway.live.seats import ViewerSeats
from gateway.live.state_notes import note_state
from gateway.live.states import States
from gateway.live.watch_list import MAX_WATCHED
from gateway.live.websocket import ResultsSocket
from gateway.live.writers import Writers
from gateway.metrics import GatewayMetrics
from gateway.result_spans import ResultSpans
from gateway.security.allowance import Allowance
from gateway.security.refusals import Refusals
from gateway.security.turnstile import Turnstile
from gateway.settings import GatewaySettings

PICTURES_PER_SECOND, PICTURES_AT_ONCE = 100.0, 1_000.0
"""Cameras that one session may begin to watch: four walls of 256 at once, and then slower."""


@dataclass(frozen=True, slots=True)
class LiveView:
    """Its parts: `results` go to the `hub`, and from there to `viewers`; `states` say what became of cameras."""

    hub: Hub
    results: LiveResults
    states: States
    state_log: StateLog
    viewers: ResultsSocket
    allotment: Allotment
    first_pictures: FirstPictures
    paint_ages: PaintAges


def make_live_view(
    settings: GatewaySettings,
    known: Knowledge,
    admission: Admission,
    metrics: GatewayMetrics,
    turnstile: Turnstile,
    refusals: Refusals,
    spans: ResultSpans | None,
    *,
    pictures_wanted: Callable[[], None],
    patience: float,
) -> LiveView:
    """A view that shows nothing yet. `pictures_wanted` hears when somebody wants to see other cameras than before."""
    writers = Writers()
    hub = Hub(
        on_watch=pictures_wanted,
        on_waiting=writers.wake,
        on_repeated=lambda each: known.repeats.add("live", each.camera_id, each.frame_id, each.camera_id),
    )
    state_log = StateLog()
    states = States(hub, known.cameras, known.nodes, metrics, partial(note_state, state_log, known.cameras))
    paint_ages = PaintAges(metrics.paint_age.observe)
    allowance = Allowance(PICTURES_PER_SECOND, PICTURES_AT_ONCE)
    return LiveView(
        hub=hub,
        results=LiveResults(
            hub, known.cameras, admission, known.counts, known.statistics, metrics, known.nodes.waits, spans
        ),
        states=states,
        state_log=state_log,
        viewers=ResultsSocket(
            hub,
            writers,
            metrics,
            states.greet,
            ViewerSeats(
                settings.max_viewers, settings.max_viewers_per_address, settings.max_viewers_per_token
            ),
            ClientBudgets(turnstile, allowance, paint_ages, refusals),
            patience=patience,
        ),
        allotment=Allotment(
            hub,
            known.cameras.knows,
            on_withheld=lambda viewer, count: refusals.note("pictures", viewer.holders, count),
            places=MAX_WATCHED,
        ),
        first_pictures=FirstPictures(hub, known.cameras.slow),
        paint_ages=paint_ages,
    )
