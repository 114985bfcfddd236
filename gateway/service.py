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
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fastapi import FastAPI

from broker import AsyncioLoop, Publisher, split_urls
from broker.link import Link
from contract.result import Result
from contract.senders import Senders
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
from gateway.books import Audit, FrameBooks
from gateway.cameras.admission import UNNAMED, Admission, sender_of
from gateway.cameras.api import cameras_router
from gateway.cameras.cameras import Cameras
from gateway.cameras.repeats import RepeatedIds
from gateway.canary.canary import Canary
from gateway.canary.metrics import CanaryMetrics
from gateway.cascade import Cascade, permitted
from gateway.cascade_rules import rules_of
from gateway.consumers import ForeignConsumers, Gateways
from gateway.dead_letters.api import dead_letters_router
from gateway.dead_letters.messages import LetterMessages
from gateway.dead_letters.operations import Operations
from gateway.dead_letters.operations_api import operations_router
from gateway.dead_letters.reader import DeadLetterReader
from gateway.dead_letters.records import OperationRecords
from gateway.desired.file import load
from gateway.dispatch import (
    StatusListener,
    consume_results,
    listen_to_canary,
    listen_to_kept_frames,
    listen_to_pictures,
    listen_to_results,
)
from gateway.drains.keeper import DrainKeeper
from gateway.drains.wish import DRAINS
from gateway.errors import BrokenSenders, WrongSetting
from gateway.expected_workers import ExpectedWorkers
from gateway.figures import FigureBoard
from gateway.hearing import Hearing
from gateway.history.api import history_router
from gateway.history.history import History
from gateway.history.rows import moment
from gateway.history.state_keeper import keep_states
from gateway.history.states import StateLog
from gateway.jobs.api import jobs_router
from gateway.jobs.board import JobBoard
from gateway.jobs.desk import JobDesk
from gateway.jobs.limits import JobLimits
from gateway.jobs.reader import JobReader
from gateway.jobs.uploads_api import uploads_router
from gateway.lifetimes import connected, counting, probing, running, ticking
from gateway.live.absence import Absence
from gateway.live.allotment import Allotment
from gateway.live.client import ClientBudgets
from gateway.live.connection import PATIENCE_SECONDS
from gateway.live.first_pictures import FirstPictures
from gateway.live.hub import Hub
from gateway.live.paint_ages import PaintAges
from gateway.live.results import LiveResults
from gateway.live.seats import ViewerSeats
from gateway.live.state_notes import note_state
from gateway.live.states import States
from gateway.live.watch_list import MAX_WATCHED, WatchList
from gateway.live.websocket import ResultsSocket, results_router
from gateway.live.writers import Writers
from gateway.metrics import GatewayMetrics
from gateway.models.api import models_router
from gateway.models.keeper import ModelKeeper
from gateway.models.wish import MODELS
from gateway.motion_cascade import MotionCascade
from gateway.motion_watch import MotionWatch
from gateway.myself import Myself
from gateway.nodes import Nodes
from gateway.nodes_api import nodes_router
from gateway.pages import pages_router
from gateway.peers import Peers
from gateway.probes import probes_router
from gateway.prometheus.client import Prometheus
from gateway.prometheus.objectives import ServiceObjectives, objectives_router
from gateway.prometheus.proxy import proxy_router
from gateway.queues import Queues
from gateway.queues_api import QueueBoard, queues_router
from gateway.readiness import Readiness
from gateway.remote.api import remote_router
from gateway.remote.keeper import RemoteKeeper
from gateway.remote.overview import remote_open
from gateway.remote.wish import REMOTE
from gateway.result_spans import ResultSpans
from gateway.security.allowance import Allowance
from gateway.security.auth import Authenticator, Identity
from gateway.security.crowd import Crowd
from gateway.security.keys import keyring, main_token, sign_outs
from gateway.security.links import links_router, ready_link
from gateway.security.login import NEW_LINK, login_router
from gateway.security.operator_socket import operator_socket, socket_file
from gateway.security.refusals import Refusals
from gateway.security.turnstile import Turnstile
from gateway.senders.counts import SenderCounts
from gateway.senders.registry import SenderRegistry
from gateway.senders_api import senders_router, tell_senders
from gateway.server.connections import REQUEST_SECONDS, RequestLimits
from gateway.server.listener import listen
from gateway.server.web import WebServer, crowd_of, web_server
from gateway.settings import GatewaySettings, split
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
ALONE = "other gateways are heard, and REDIS_URL is not set"
PICTURES_PER_SECOND, PICTURES_AT_ONCE = 100.0, 1_000.0
"""Cameras that one session may begin to watch: four walls of 256 at once, and then slower."""


def sender_registry(path: Path, announce: Callable[[Senders], None]) -> SenderRegistry:
    """The senders in the file. Raises WrongSetting."""
    try:
        return SenderRegistry.load(path, announce)
    except BrokenSenders as error:
        raise WrongSetting(str(error)) from None
    except OSError as error:
        raise WrongSetting(
            f"the senders in {path} cannot be read: {error.strerror}; let this user read the file"
        ) from None


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
    hearing = Hearing(lambda: depth.answered)

    # --- what it knows ---
    nodes, peers = Nodes(hearing), Peers(hearing)
    cameras = Cameras(
        nodes.lanes,
        down=lambda: link.faults.down,
        hearing=hearing,
        removed=lambda sender: senders.removed(sender),
    )
    metrics.camera_results.read = cameras.results
    counts = SenderCounts()
    statistics = Statistics(time.time())
    rules = rules_of(split(settings.remote_rules), settings.remote_below)
    myself = Myself(gateway_id, settings.node_name, rules.motion)
    gateways = Gateways(gateway_id)
    repeats = RepeatedIds(cameras, metrics)
    books = FrameBooks()
    jobs = JobBoard(metrics, gateway_id)

    # --- what it says to the broker ---
    occasions = Occasions()
    publisher = link.publisher(window=64, on_ready=occasions.reconnected)
    kept = settings.data_dir
    models = ModelKeeper(kept, load(kept, MODELS), nodes, partial(say, publisher))
    drains = DrainKeeper(kept, load(kept, DRAINS), nodes, partial(say, publisher))
    remote = RemoteKeeper(kept, load(kept, REMOTE), nodes, partial(say, publisher))
    senders = sender_registry(settings.senders, partial(say, publisher))

    def most_cameras(sender: str) -> int:
        return settings.max_unannounced_cameras if sender == UNNAMED else senders.max_cameras(sender)

    admission = Admission(
        cameras.announced,
        most_cameras,
        known=lambda sender: sender == UNNAMED or senders.find(sender) is not None,
    )

    # --- what it shows ---
    writers = Writers()
    hub = Hub(
        on_watch=occasions.pictures_wanted,
        on_waiting=writers.wake,
        on_repeated=lambda each: repeats.add("live", each.camera_id, each.frame_id, each.camera_id),
    )
    results = LiveResults(hub, cameras, admission, counts, statistics, metrics, nodes.waits, spans)
    state_log = StateLog()
    states = States(hub, cameras, nodes, metrics, partial(note_state, state_log, cameras))
    refusals = Refusals(metrics)
    # Tokens use the event loop for half of its time at most: probes, results and pictures have the other half.
    turnstile = Turnstile(1, settings.max_connections, TURN_SECONDS, rest=1.0)
    paint_ages = PaintAges(metrics.paint_age.observe)
    allowance = Allowance(PICTURES_PER_SECOND, PICTURES_AT_ONCE)
    budgets = ClientBudgets(turnstile, allowance, paint_ages, refusals)
    seats = ViewerSeats(
        settings.max_viewers, settings.max_viewers_per_address, settings.max_viewers_per_token
    )
    viewers = ResultsSocket(hub, writers, metrics, states.greet, seats, budgets, patience=patience)
    allotment = Allotment(
        hub,
        cameras.knows,
        on_withheld=lambda viewer, count: refusals.note("pictures", viewer.holders, count),
        places=MAX_WATCHED,
    )
    describable = permitted(
        split(settings.remote_cameras), lambda camera_id: cameras.remote(camera_id, time.monotonic())
    )
    motion = MotionWatch(settings.history_gap_seconds, settings.remote_motion, describable)

    def on_recorded(result: Result, body: bytes) -> None:
        results.recorded(result, body)
        if rules.motion:
            motion.hear(result, moment(result, time.time()))

    first_pictures = FirstPictures(hub, cameras.slow)
    history = History(
        settings,
        metrics,
        refusals,
        cameras.labels,
        admits=lambda each: admission.lists(each.camera_id, sender_of(each), time.monotonic()),
        on_recorded=on_recorded,
        on_repeat=lambda each: repeats.add("history", each.camera_id, each.frame_id, each.of),
        on_wanted=occasions.pictures_wanted,
        spans=spans,
    )

    # --- what it hears from the broker ---
    absence = Absence(depth, viewers.missed)
    live = listen_to_results(link, results, absence, spans)
    pictures = listen_to_pictures(link, hub)
    listen_to_kept_frames(link, gateway_id, history.thumbnailer, first_pictures)
    StatusListener(
        nodes, cameras, models, drains, remote, gateways, peers, senders, statistics, books, jobs
    ).listen(link)
    stored = consume_results(link, history.recorder)
    queues = Queues(depth, link.depth(), senders, link.faults, statistics, metrics)
    queue_board = QueueBoard(queues, senders, books, hearing)
    canary = Canary(
        publisher,
        depth,
        CanaryMetrics(metrics.registry),
        every=settings.canary_seconds,
        gateway_id=gateway_id,
    )
    if settings.canary_seconds:
        listen_to_canary(link, canary)

    def bind(camera_id: str, on: bool) -> None:
        (pictures.bind if on else pictures.unbind)(WATCH_EXCHANGE, camera_id)

    def announce(camera_ids: list[str], frames: Sequence[str] = ()) -> None:
        say(publisher, myself.announcement(camera_ids, frames))

    def frames(now: float) -> list[str]:
        first = first_pictures.wanted(allotment.granted(now), now)
        return [*first, *history.thumbnailer.wanted(now)]

    announcer = Announcer(
        occasions,
        WatchList(bind, announce),
        models,
        drains,
        remote,
        senders,
        by_viewers=lambda: allotment.granted(time.monotonic()),
        frames=frames,
        ask=announce,
    )

    # --- what it answers ---
    readiness = Readiness(link, hearing, history.recorder, history.database)
    own = partial(myself.view, readiness.missing)
    prometheus = Prometheus(settings.prometheus_url) if settings.prometheus_url else None
    alertmanager = Alertmanager(settings.alertmanager_url) if settings.alertmanager_url else None
    board = FigureBoard(
        prometheus,
        statistics,
        nodes,
        connected=lambda: live.subscribed,
        waiting=lambda: queues.waiting,
        notices=lambda: [*queues.notices(), *cameras.notices(time.monotonic()), *admission.notices()],
        canary=lambda: canary.trouble(time.monotonic()),
    )

    job_limits = JobLimits.of(settings)
    desk = JobDesk(
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
    expected_workers = ExpectedWorkers(settings.expected_workers, settings.expected_workers_file)

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
        dead_letters = DeadLetterReader(
            urls,  # one that is down costs the connection, and is told by name
            lambda: [each for each in senders.senders if each.dead_letter_queue not in link.faults.down],
        )
        letters = LetterSearch(dead_letters)
        messages = LetterMessages(urls, dead_letters)
        records = OperationRecords(settings.data_dir)
        records.load()
        operations = Operations(urls, dead_letters, records, lambda: senders.senders, queue_board.consumers)
        inquiry = Inquiry(
            readers=history.readers,
            letters=letters,
            drops=DropRecords(prometheus),
            cameras=cameras,
            queues=queues,
            repeats=repeats,
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
        metrics.attendance.read = headcount.now
        logins = authenticator.share(redis_url) if redis_url else None

        def alone() -> str:
            if not redis_url:
                return ALONE if gateways.live(time.monotonic()) > 1 else ""
            return register.trouble or (logins.trouble if logins is not None else "")

        readiness.alone = alone
        metrics.redis_up.ask_for(lambda: float(not alone()) if redis_url else None)
        app = create_app(
            settings,
            authenticator,
            metrics,
            turnstile,
            refusals,
            register,
            [
                probes_router(readiness),
                results_router(viewers),
                login_router(authenticator, viewers.end, settings.dashboard_dir, metrics),
                links_router(authenticator, settings.public_url, settings.published_url),
                api_router(board, settings.launcher),
                attendance_router(register, headcount),
                nodes_router(nodes, peers, drains, statistics, own, expected_workers),
                alerts_router(AlertBoard(prometheus, alertmanager)),
                objectives_router(ServiceObjectives(prometheus)),
                cameras_router(cameras, admission.notices),
                senders_router(senders, admission, counts, queues, settings.max_unannounced_cameras),
                models_router(models, nodes, statistics.costs),
                queues_router(queue_board),
                remote_router(remote, nodes, lambda: depth.messages.get(Lane.REMOTE.queue)),
                jobs_router(desk, job_reader, jobs),
                uploads_router(desk),
                dead_letters_router(dead_letters, messages),
                operations_router(operations, dead_letters),
                why_router(inquiry),
                history_router(history, dead_letters, settings.history_gap_seconds, settings.prefix),
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
                viewers.end(holder, why)

        ticks = (
            end_revoked,
            announcer.follow,
            models.tick,
            drains.tick,
            remote.tick,
            peers.tick,
            senders.tick,
            partial(tell_senders, senders, admission, metrics),
            queues.tick,
            queue_board.tick,
            Audit(books, depth, link.faults, nodes, metrics).tick,
            jobs.tick,
            ForeignConsumers(depth, publisher, gateways, nodes, hearing, metrics).tick,
            absence.tick,
            canary.tick,
            states.tick,
            paint_ages.tick,
        )

        # --- what runs ---
        stack.callback(metrics.service.watch_loop("main", link.loop.call_later))
        if tracing is not None:
            stack.push_async_callback(asyncio.to_thread, tracing.close)
        if prometheus is not None:
            stack.push_async_callback(prometheus.close)
        if alertmanager is not None:
            stack.push_async_callback(alertmanager.close)
        stack.push_async_callback(letters.stop)
        stack.push_async_callback(messages.stop)
        stack.push_async_callback(operations.close)
        stack.push_async_callback(models.stop)
        stack.push_async_callback(drains.stop)
        stack.push_async_callback(remote.stop)
        stack.push_async_callback(senders.stop)
        await stack.enter_async_context(connected(link))
        await stack.enter_async_context(history.recording(stored))
        await stack.enter_async_context(running(keep_states(state_log, history.recorder)))
        await stack.enter_async_context(running(announcer.run()))
        stack.callback(job_reader.close)
        await stack.enter_async_context(desk.running())
        await stack.enter_async_context(running(ticking(ticks)))
        await stack.enter_async_context(counting(register))
        await stack.enter_async_context(running(headcount.follow()))

        def lane_open() -> bool:
            return remote_open(nodes.statuses(time.monotonic()), remote.desired)

        if settings.remote_rules:
            cascade = Cascade(
                rules,
                history.recorder,
                publisher,
                metrics,
                gap=settings.history_gap_seconds,
                allowed=describable,
                open_=lane_open,
            )
            await stack.enter_async_context(running(cascade.run()))
        if rules.motion:
            motions = MotionCascade(
                motion,
                history.recorder,
                gap=settings.history_gap_seconds,
                labels=cameras.labels,
                request=history.look_for_pictures,
                open_=lane_open,
            )
            await stack.enter_async_context(running(motions.run()))
        if logins is not None:
            stack.push_async_callback(logins.close)
            await stack.enter_async_context(running(logins.run()))
        gateway = Gateway(
            settings=settings,
            metrics=metrics,
            authenticator=authenticator,
            cameras=cameras,
            nodes=nodes,
            statistics=statistics,
            models=models,
            drains=drains,
            senders=senders,
            admission=admission,
            publisher=publisher,
            queues=queues,
            canary=canary,
            hub=hub,
            results=results,
            history=history,
            jobs=desk,
            readiness=readiness,
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
