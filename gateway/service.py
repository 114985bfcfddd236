"""The gateway as a running whole: `compose` builds it from the bottom up, and closes it in the reverse order.

No part reaches for another: each gets what it needs when it is made, and making one opens nothing; only the desired
models and the senders are read, since what keeps them begins with these. Then comes what only one gateway can have, its
ports and the history's file: whoever is refused these leaves nothing behind, no token either. What answers and what
connects is last.
"""

import asyncio
import contextlib
import gc
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from fastapi import FastAPI

from broker import AsyncioLoop, Publisher, split_urls
from broker.link import Link
from contract.document import ANSWERS
from contract.result import Result
from contract.topology import TOPOLOGY, WATCH_EXCHANGE, Lane
from gateway.alerts.alertmanager import Alertmanager
from gateway.alerts.api import alerts_router
from gateway.alerts.board import AlertBoard
from gateway.announcements import Announcer, Occasions, say
from gateway.api import api_router
from gateway.app import create_app
from gateway.attendance.api import attendance_router
from gateway.attendance.counters import AttendanceCounters, shared_counts
from gateway.attendance.devices import load_rules
from gateway.attendance.headcount import Headcount
from gateway.attendance.register import AttendanceRegister
from gateway.books import Audit
from gateway.cameras.admission import UNNAMED, Admission, sender_of
from gateway.cameras.api import cameras_router
from gateway.cameras.cameras import Cameras
from gateway.canary.canary import Canary
from gateway.canary.metrics import CanaryMetrics
from gateway.cascades import make_cascades
from gateway.consumers import ForeignConsumers
from gateway.dead_letters.api import dead_letters_router
from gateway.dead_letters.desk import open_letters
from gateway.dead_letters.operations_api import operations_router
from gateway.dispatch import (
    StatusListener,
    consume_results,
    listen_to_canary,
    listen_to_kept_frames,
    listen_to_pictures,
    listen_to_results,
)
from gateway.drains.keeper import DrainKeeper
from gateway.errors import WrongSetting
from gateway.expected_workers import ExpectedWorkers
from gateway.figures import FigureBoard
from gateway.history.api import history_router
from gateway.history.history import History
from gateway.history.state_keeper import keep_states
from gateway.http.shapes import prepare
from gateway.jobs.api import jobs_router
from gateway.jobs.desk import JobDesk
from gateway.jobs.limits import JobLimits
from gateway.jobs.reader import JobReader
from gateway.jobs.uploads_api import uploads_router
from gateway.keepers import open_keepers
from gateway.knowledge import know_nothing
from gateway.lifetimes import connected, counting, probing, running, ticking
from gateway.live.absence import Absence
from gateway.live.connection import PATIENCE_SECONDS
from gateway.live.hub import Hub
from gateway.live.live_view import make_live_view
from gateway.live.results import LiveResults
from gateway.live.watch_list import WatchList
from gateway.live.websocket import results_router
from gateway.metrics import GatewayMetrics
from gateway.models.api import models_router
from gateway.models.keeper import ModelKeeper
from gateway.myself import Myself
from gateway.nodes import Nodes
from gateway.nodes_api import nodes_router
from gateway.pages import pages_router
from gateway.probes import probes_router
from gateway.prometheus.client import Prometheus
from gateway.prometheus.objectives import ServiceObjectives, objectives_router
from gateway.prometheus.proxy import proxy_router
from gateway.queues import Queues
from gateway.queues_api import QueueBoard, queues_router
from gateway.readiness import Readiness
from gateway.remote.api import remote_router
from gateway.result_spans import ResultSpans
from gateway.security.auth import Authenticator, Identity
from gateway.security.crowd import Crowd
from gateway.security.keys import keyring, main_token, sign_outs
from gateway.security.links import links_router, ready_link
from gateway.security.login import NEW_LINK, login_router
from gateway.security.operator_socket import operator_socket, socket_file
from gateway.security.refusals import Refusals
from gateway.security.turnstile import Turnstile
from gateway.senders.registry import SenderRegistry
from gateway.senders_api import senders_router, tell_senders
from gateway.server.connections import REQUEST_SECONDS, RequestLimits
from gateway.server.listener import listen
from gateway.server.web import WebServer, crowd_of, web_server
from gateway.settings import GatewaySettings
from gateway.shared_state import SharedState
from gateway.statistics import Statistics
from gateway.tokens.roles import Role
from gateway.why.api import why_router
from gateway.why.drops import DropRecords
from gateway.why.inquiry import Inquiry
from gateway.why.letters import LetterSearch
from runtime.files import allow_many_files, connections
from runtime.logs import get_logger
from runtime.signals import stop_on_signal
from runtime.tracing import Tracing, TracingUnavailable, start_tracing

log = get_logger("gateway")

TURN_SECONDS = 10.0
"""So long a request waits for its turn on the event loop."""


def trace_results(settings: GatewaySettings, gateway_id: str, metrics: GatewayMetrics) -> Tracing | None:
    """Begin to trace, where the settings say so. Raises WrongSetting."""
    try:
        return start_tracing(settings, "gateway", gateway_id, metrics.service.spans)
    except TracingUnavailable as error:
        raise WrongSetting(str(error)) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A composed gateway: `serve` accepts connections until `stop`. Its parts can be looked at."""

    settings: GatewaySettings
    metrics: GatewayMetrics
    authenticator: Authenticator
    cameras: Cameras
    nodes: Nodes
    statistics: Statistics
    models: ModelKeeper
    drains: DrainKeeper
    senders: SenderRegistry
    admission: Admission
    publisher: Publisher
    queues: Queues
    canary: Canary
    hub: Hub
    results: LiveResults
    history: History
    jobs: JobDesk
    readiness: Readiness
    shared: SharedState
    crowd: Crowd
    app: FastAPI
    server: WebServer
    listener: socket.socket
    port: int

    @property
    def address(self) -> str:
        """How browsers reach the gateway."""
        host = self.settings.host
        if host in ("0.0.0.0", "::"):  # noqa: S104  # what is listened on is not an address to go to
            host = socket.gethostname()
        own = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        return self.settings.public_url or self.settings.published_url or own

    def link(self, role: Role = "operator") -> str:
        """A new address that signs a browser in, once."""
        if not self.authenticator.required:
            return f"{self.address}/"
        code, _ = self.authenticator.new_code(Identity(), role, time.time())
        return ready_link(self.address, code)

    def missing(self) -> list[str]:
        """What the gateway lacks to do its work."""
        return self.readiness.missing()

    @property
    def serving(self) -> bool:
        """Whether the gateway accepts connections."""
        return self.server.started

    async def serve(self) -> None:
        """Accept connections until `stop`; then tell the viewers, and close all connections."""
        await self.server.serve(sockets=[self.listener])

    def stop(self) -> None:
        """Let `serve` finish."""
        self.server.should_exit = True


@asynccontextmanager
async def compose(
    settings: GatewaySettings,
    *,
    metrics: GatewayMetrics | None = None,
    patience: float = PATIENCE_SECONDS,
    request_seconds: float = REQUEST_SECONDS,
) -> AsyncIterator[Gateway]:
    """Build a gateway and open what it needs; all is closed at the end of the block. Raises CannotStart."""
    metrics = metrics or GatewayMetrics()
    gateway_id = f"{settings.node_name}-{os.getpid()}"
    tracing = trace_results(settings, gateway_id, metrics)
    spans = None if tracing is None else ResultSpans(tracing, gateway_id)

    prepare(ANSWERS)

    # --- how it reaches the broker ---
    urls = split_urls(settings.amqp_url)
    link = Link(
        AsyncioLoop(),
        urls,
        "gateway",
        on_invalid=lambda exchange: metrics.invalid.labels(exchange).inc(),
        counts=metrics.link,
    )
    depth = link.depth([queue.name for queue in TOPOLOGY.queues])
    occasions = Occasions()
    publisher = link.publisher(window=64, on_ready=occasions.reconnected)

    # --- what it knows, and what it desires ---
    known = know_nothing(
        gateway_id, metrics, depth, link.faults, removed=lambda sender: keepers.senders.removed(sender)
    )
    keepers = open_keepers(settings.data_dir, settings.senders, known.nodes, partial(say, publisher))
    senders = keepers.senders
    admission = Admission(
        known.cameras.announced,
        lambda sender: settings.max_unannounced_cameras if sender == UNNAMED else senders.max_cameras(sender),
        known=lambda sender: sender == UNNAMED or senders.find(sender) is not None,
    )
    cascades = make_cascades(settings, known, keepers.remote)
    myself = Myself(gateway_id, settings.node_name, cascades.rules.motion)

    # --- what it shows, and what it writes down ---
    refusals = Refusals(metrics)
    # Tokens use the event loop for half of its time at most: probes, results and pictures have the other half.
    turnstile = Turnstile(1, settings.max_connections, TURN_SECONDS, rest=1.0)
    view = make_live_view(
        settings,
        known,
        admission,
        metrics,
        turnstile,
        refusals,
        spans,
        pictures_wanted=occasions.pictures_wanted,
        patience=patience,
    )

    def on_recorded(result: Result, body: bytes) -> None:
        view.results.recorded(result, body)
        cascades.recorded(result)

    history = History(
        settings,
        metrics,
        refusals,
        known.cameras.labels,
        admits=lambda each: admission.lists(each.camera_id, sender_of(each), time.monotonic()),
        on_recorded=on_recorded,
        on_repeat=lambda each: known.repeats.add("history", each.camera_id, each.frame_id, each.of),
        on_wanted=occasions.pictures_wanted,
        spans=spans,
    )

    # --- what it hears from the broker ---
    absence = Absence(depth, view.viewers.missed)
    live = listen_to_results(link, view.results, absence, spans)
    pictures = listen_to_pictures(link, view.hub)
    listen_to_kept_frames(link, gateway_id, history.thumbnailer, view.first_pictures)
    StatusListener(known, keepers).listen(link)
    stored = consume_results(link, history.recorder)
    queues = Queues(depth, link.depth(), senders, link.faults, known.statistics, metrics)
    queue_board = QueueBoard(queues, senders, known.books, known.hearing)
    canary = Canary(
        publisher,
        depth,
        CanaryMetrics(metrics.registry),
        every=settings.canary_seconds,
        gateway_id=gateway_id,
    )
    if settings.canary_seconds:
        listen_to_canary(link, canary)

    # --- what it says to the broker ---
    def bind(camera_id: str, on: bool) -> None:
        (pictures.bind if on else pictures.unbind)(WATCH_EXCHANGE, camera_id)

    def announce(camera_ids: list[str], frames: Sequence[str] = ()) -> None:
        say(publisher, myself.announcement(camera_ids, frames))

    def frames(now: float) -> list[str]:
        first = view.first_pictures.wanted(view.allotment.granted(now), now)
        return [*first, *history.thumbnailer.wanted(now)]

    announcer = Announcer(
        occasions,
        WatchList(bind, announce),
        keepers,
        by_viewers=lambda: view.allotment.granted(time.monotonic()),
        frames=frames,
        ask=announce,
    )

    # --- what it answers ---
    readiness = Readiness(link, known.hearing, history.recorder, history.database)
    prometheus = Prometheus(settings.prometheus_url) if settings.prometheus_url else None
    alertmanager = Alertmanager(settings.alertmanager_url) if settings.alertmanager_url else None
    board = FigureBoard(
        prometheus,
        known.statistics,
        known.nodes,
        connected=lambda: live.subscribed,
        waiting=lambda: queues.waiting,
        notices=lambda: [
            *queues.notices(),
            *known.cameras.notices(time.monotonic()),
            *admission.notices(),
        ],
        canary=lambda: canary.trouble(time.monotonic()),
    )
    job_limits = JobLimits.of(settings)
    jobs = JobDesk(
        job_limits,
        settings.amqp_url,
        settings.objects,
        settings.storage_key_file,
        metrics,
        keep_videos=settings.keep_video,
        cache=job_limits.folder / ".known",
        gateway_id=gateway_id,
    )
    job_reader = JobReader(job_limits.folder, settings.objects, settings.storage_key_file)

    async with AsyncExitStack() as stack:
        # --- what only one can have ---
        listener = stack.enter_context(contextlib.closing(listen(settings.host, settings.port)))
        probes = stack.enter_context(probing(settings, readiness, metrics))
        further, signed_out = keyring(settings), sign_outs(settings, time.time())
        stack.enter_context(history.claimed())

        # --- who may enter, and what they get ---
        authenticator = Authenticator(
            main_token(settings),
            further,
            on_guess=lambda address: log.warning("a wrong token or code", address=address),
            sign_outs=signed_out,
        )
        metrics.token_expiry.ask_for(lambda: further.next_expiry(time.time()))
        letters = open_letters(
            urls,
            settings.data_dir,
            lambda: senders.senders,
            lambda: link.faults.down,
            queue_board.consumers,
        )
        search = LetterSearch(letters.reader)
        inquiry = Inquiry(
            readers=history.readers,
            letters=search,
            drops=DropRecords(prometheus),
            cameras=known.cameras,
            queues=queues,
            repeats=known.repeats,
            senders=lambda: senders.senders,
            trouble=lambda: history.recorder.trouble,
            days=settings.history_days,
            prefix=settings.prefix,
        )
        load_rules()  # while nobody asks yet
        redis_url = settings.redis_url.get_secret_value()
        register = AttendanceRegister(
            settings.attendance, AttendanceCounters(metrics), shared_counts(redis_url, settings.attendance)
        )
        headcount = Headcount(register)
        metrics.attendance.ask_for(headcount.now)
        logins = authenticator.share(redis_url) if redis_url else None
        shared = SharedState(redis_url, known.gateways, register, logins)
        metrics.redis_up.ask_for(shared.figure)
        app = create_app(
            settings,
            authenticator,
            metrics,
            turnstile,
            refusals,
            register,
            [
                probes_router(readiness, shared),
                results_router(view.viewers),
                login_router(authenticator, view.viewers.end, settings.dashboard_dir, metrics),
                links_router(authenticator, settings.public_url, settings.published_url),
                api_router(board, settings.launcher),
                attendance_router(register, headcount),
                nodes_router(
                    known.nodes,
                    known.peers,
                    keepers.drains,
                    known.statistics,
                    partial(myself.view, readiness.missing),
                    ExpectedWorkers(settings.expected_workers, settings.expected_workers_file),
                ),
                alerts_router(AlertBoard(prometheus, alertmanager)),
                objectives_router(ServiceObjectives(prometheus)),
                cameras_router(known.cameras, admission.notices),
                senders_router(senders, admission, known.counts, queues, settings.max_unannounced_cameras),
                models_router(keepers.models, known.nodes, known.statistics.costs),
                queues_router(queue_board),
                remote_router(keepers.remote, known.nodes, lambda: depth.messages.get(Lane.REMOTE.queue)),
                jobs_router(jobs, job_reader, known.jobs),
                uploads_router(jobs),
                dead_letters_router(letters.reader, letters.messages),
                operations_router(letters.operations, letters.reader),
                why_router(inquiry),
                history_router(history, letters.reader, settings.history_gap_seconds, settings.prefix),
                proxy_router(prometheus, refusals),
                pages_router(settings.dashboard_dir, authenticator),
            ],
        )
        files = allow_many_files()
        crowd = crowd_of(settings, connections(files))
        limits = RequestLimits(crowd, metrics, request_seconds, unread_seconds=3 * request_seconds)
        server = web_server(app, limits, files)

        def end_revoked(_now: float) -> None:
            for holder, why in authenticator.refresh(time.time()).items():
                view.viewers.end(holder, why)

        ticks = (
            end_revoked,
            announcer.follow,
            keepers.tick,
            partial(tell_senders, senders, admission, metrics),
            queues.tick,
            queue_board.tick,
            Audit(known.books, depth, link.faults, known.nodes, metrics).tick,
            known.jobs.tick,
            ForeignConsumers(depth, publisher, known.gateways, known.nodes, known.hearing, metrics).tick,
            absence.tick,
            canary.tick,
            view.states.tick,
            view.paint_ages.tick,
        )

        # --- what runs ---
        stack.callback(metrics.service.watch_loop("main", link.loop.call_later))
        if tracing is not None:
            stack.push_async_callback(asyncio.to_thread, tracing.close)
        if prometheus is not None:
            stack.push_async_callback(prometheus.close)
        if alertmanager is not None:
            stack.push_async_callback(alertmanager.close)
        stack.push_async_callback(search.stop)
        stack.push_async_callback(letters.stop)
        stack.push_async_callback(keepers.stop)
        await stack.enter_async_context(connected(link))
        await stack.enter_async_context(history.recording(stored))
        await stack.enter_async_context(running(keep_states(view.state_log, history.recorder)))
        await stack.enter_async_context(running(announcer.run()))
        stack.callback(job_reader.close)
        await stack.enter_async_context(jobs.running())
        await stack.enter_async_context(running(ticking(ticks)))
        await stack.enter_async_context(counting(register))
        await stack.enter_async_context(running(headcount.follow()))
        for cascade in cascades.runs(settings, known, history, publisher, metrics):
            await stack.enter_async_context(running(cascade))
        if logins is not None:
            stack.push_async_callback(logins.close)
            await stack.enter_async_context(running(logins.run()))
        gateway = Gateway(
            settings=settings,
            metrics=metrics,
            authenticator=authenticator,
            cameras=known.cameras,
            nodes=known.nodes,
            statistics=known.statistics,
            models=keepers.models,
            drains=keepers.drains,
            senders=senders,
            admission=admission,
            publisher=publisher,
            queues=queues,
            canary=canary,
            hub=view.hub,
            results=view.results,
            history=history,
            jobs=jobs,
            readiness=readiness,
            shared=shared,
            crowd=crowd,
            app=app,
            server=server,
            listener=listener,
            port=listener.getsockname()[1],
        )
        await stack.enter_async_context(
            operator_socket(socket_file(settings.data_dir, gateway.port), gateway.link)
        )
        log.info("gateway listens", address=gateway.address, metrics_port=probes.port)
        yield gateway
    log.info("gateway stopped")


async def serve(settings: GatewaySettings, metrics: GatewayMetrics) -> None:
    """Run one gateway until SIGTERM or Ctrl-C. Raises GatewayError."""
    async with compose(settings, metrics=metrics) as gateway:
        # What is there now stays: looking through it for garbage stops the loop for a tenth of a second each time.
        gc.collect()
        gc.freeze()
        stop_on_signal(gateway.stop)
        if settings.print_link:
            sys.stdout.write(f"\n{_greeting(gateway, terminal=sys.stdout.isatty())}\n")
            sys.stdout.flush()
        await gateway.serve()


def _greeting(gateway: Gateway, *, terminal: bool) -> str:
    """What is printed at start. What is not a terminal may be a log that many read: no link goes there."""
    if terminal:
        return f"  Framefleet: {gateway.link()}\n{_elsewhere(gateway.settings)}"
    how = f"  To sign in: {NEW_LINK}\n" if gateway.authenticator.required else ""
    return f"  Framefleet: {gateway.address}/\n{how}{_elsewhere(gateway.settings)}"


def _elsewhere(settings: GatewaySettings) -> str:
    """What to do with the printed address on another machine, where the gateway cannot know its own address."""
    if settings.public_url or not settings.published_url:
        return ""
    return (
        "  From another machine: put this one's address in place of 127.0.0.1, or set GATEWAY_PUBLIC_URL.\n"
    )
