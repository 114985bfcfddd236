"""The gateway's own metrics, on its metrics port."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from broker import LinkCounts
from contract.topology import Lane
from gateway.attendance_figures import AttendanceCollector
from gateway.camera_results import CameraCollector
from runtime.metrics import OptionalGauge, ServiceMetrics

# Edges on the objectives, and close enough that a percentile between them is right within a fifth.
AGE_BUCKETS = (
    *(0.01, 0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75),
    *(1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 5.0, 10.0, 30.0, 60.0),
)

HTTP_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
STAY_BUCKETS = (10, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400)
WAIT_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

JOB_STATES = RUNNING, STALLED, LOST = ("running", "stalled", "lost")
UPLOAD_OUTCOMES = ("complete", "refused", "cancelled", "expired")
FRAME_OUTCOMES = ("analysed", "still", "repeated", "thinned")

REFUSED = (
    *("unauthorized", "guessing", "role", "origin", "host"),  # who, and from which page
    *("share", "connections", "slow", "unread", "too_large", "malformed"),  # how much, and how
    *("sockets", "pictures", "subscriptions", "queries", "busy"),  # what a token has had its share of
)


class GatewayMetrics:
    """Registers everything once; ages in seconds.

    `service` are those of the process, `link` counts what the link to the broker does.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry = registry or CollectorRegistry()
        self.service = ServiceMetrics("gateway", registry)
        self.link = LinkCounts()
        registry.register(self.link)
        self.camera_results = CameraCollector()
        registry.register(self.camera_results)
        self.http_requests = Counter(
            "framefleet_http_requests_total",
            "Requests by the route that they asked for and the code that they were answered with; WebSockets with 101",
            ["route", "method", "code"],
            registry=registry,
        )
        self.http_seconds = Histogram(
            "framefleet_http_request_seconds",
            "Time from the arrival of a request to the beginning of its answer",
            ["route", "method"],
            buckets=HTTP_BUCKETS,
            registry=registry,
        )
        self.token_expiry = OptionalGauge(
            "framefleet_token_expiry_timestamp_seconds",
            "When the next token expires; absent while none does",
            registry,
        )
        self.attendance = AttendanceCollector()
        registry.register(self.attendance)
        self.attendance_lost = Counter(
            "framefleet_attendance_lost_total",
            "Visits that no count has: full (too many within a second), redis (it was away for too long)",
            ["reason"],
            registry=registry,
        )
        for reason in ("full", "redis"):
            self.attendance_lost.labels(reason)
        self.time_on_app = Histogram(
            "framefleet_time_on_app_seconds",
            "How long a session was here, from its first request to its last before a pause, at this gateway",
            ["device"],
            buckets=STAY_BUCKETS,
            registry=registry,
        )
        self.redis_up = OptionalGauge(
            "framefleet_redis_up",
            "1 while gateways share through Redis, 0 while it does not answer; absent without REDIS_URL",
            registry,
        )
        self.clients = Gauge("gateway_clients", "WebSocket clients connected", registry=registry)
        self.results = Counter("gateway_results", "Results received", registry=registry)
        self.result_age = Histogram(
            "gateway_result_age_seconds",
            "Capture to gateway, the batch lane and senders with a name left out",
            buckets=AGE_BUCKETS,
            registry=registry,
        )
        self.paint_age = Histogram(
            "gateway_paint_age_seconds",
            "Capture to a dashboard's paint, as dashboards report it: of every two seconds the median of all tokens",
            buckets=AGE_BUCKETS,
            registry=registry,
        )
        self.drops = Counter(
            "gateway_client_drops", "Clients dropped by the gateway", ["reason"], registry=registry
        )
        self.logins = Counter(
            "gateway_logins_total",
            "Sign-ins of browsers: accepted, refused (wrong token or code), limited (too many wrong ones)",
            ["outcome"],
            registry=registry,
        )
        self.refused = Counter(
            "gateway_refused_total",
            "Requests and connections refused or made to wait, and pictures withheld, by reason",
            ["reason"],
            registry=registry,
        )
        for reason in REFUSED:  # from zero on, so that the first one is an increase
            self.refused.labels(reason)
        self.queue = Gauge(
            "gateway_queue_messages", "Messages ready in a queue", ["queue"], registry=registry
        )
        self.queue_down = Gauge(
            "gateway_queue_down",
            "1 while RabbitMQ has the queue and cannot use it: its files are damaged, or it has no leader",
            ["queue"],
            registry=registry,
        )
        self.jobs = Gauge(
            "framefleet_jobs",
            "Jobs whose clients were heard, by state: running, stalled (nothing settled for two minutes), lost (the "
            "client is gone without a word, within the last hour)",
            ["state"],
            registry=registry,
        )
        for state in JOB_STATES:
            self.jobs.labels(state)
        self.job_items_waiting = Gauge(
            "framefleet_job_items_waiting",
            "Items of running and stalled jobs that are not settled yet",
            registry=registry,
        )
        self.job_lookups = Counter(
            "framefleet_job_lookups_total",
            "Pictures that jobs looked up among the results that are kept: hit, the picture was not sent; miss",
            ["outcome"],
            registry=registry,
        )
        for outcome in ("hit", "miss"):
            self.job_lookups.labels(outcome)
        self.job_frames = Counter(
            "framefleet_job_frames_total",
            "Pictures of jobs' videos: analysed, or skipped as still, repeated, or thinned (more than are looked at a "
            "second)",
            ["outcome"],
            registry=registry,
        )
        for outcome in FRAME_OUTCOMES:
            self.job_frames.labels(outcome)
        self.job_windows = Counter(
            "framefleet_job_windows_total", "Windows of jobs' videos that were read", registry=registry
        )
        self.upload_bytes = Counter(
            "framefleet_upload_bytes_total", "Bytes of files that were uploaded for jobs", registry=registry
        )
        self.uploads = Counter(
            "framefleet_uploads_total",
            "Uploads for jobs by what became of them: complete, refused (a kind that is not taken), cancelled, expired",
            ["outcome"],
            registry=registry,
        )
        for outcome in UPLOAD_OUTCOMES:
            self.uploads.labels(outcome)
        self.upload_room = Gauge(
            "framefleet_uploads_held_bytes",
            "Bytes that uploads and what is kept of ended jobs take, those that are still to come included",
            registry=registry,
        )
        self.own_jobs = Gauge(
            "framefleet_gateway_jobs",
            "Jobs that this gateway took uploads for and that have something to do: running, waiting for their turn",
            ["state"],
            registry=registry,
        )
        for state in ("running", "waiting"):
            self.own_jobs.labels(state)
        self.frames_missing = Counter(
            "gateway_frames_missing_total",
            "Confirmed frames that left their lane without a result, an expiry or a dead letter, about",
            ["lane"],
            registry=registry,
        )
        for lane in Lane:
            self.frames_missing.labels(lane.value)
        self.foreign_consumers = Gauge(
            "gateway_queue_foreign_consumers",
            "Consumers of a queue of ours beyond the gateways or workers that should be: what they take is missing",
            ["queue"],
            registry=registry,
        )
        self.invalid = Counter(
            "gateway_invalid_messages", "Messages that could not be read", ["source"], registry=registry
        )
        for source in ("results", "watch", "status", "control", "result_queue"):
            self.invalid.labels(source)
        self.stale = Counter(
            "gateway_results_stale_total",
            "Live results that were older than the staleness budget on arrival",
            registry=registry,
        )
        self.late = Counter(
            "gateway_results_late",
            "Results that were missed live and came by result_queue, for clients that get every one",
            registry=registry,
        )
        self.superseded = Counter(
            "gateway_results_superseded",
            "Results that came late or twice and moved no live view",
            registry=registry,
        )
        self.repeated = Counter(
            "gateway_frame_ids_repeated_total",
            "Results of a frame whose frame_id another frame had: not shown (live), or not kept (history)",
            ["missing"],
            registry=registry,
        )
        for place in ("live", "history"):
            self.repeated.labels(place)
        self.cameras = Gauge(
            "gateway_cameras", "Cameras that a producer announces, by state", ["state"], registry=registry
        )
        self.unannounced = Gauge(
            "gateway_cameras_unannounced",
            "Cameras of senders and plain clients, which no producer announces, by state",
            ["state"],
            registry=registry,
        )
        self.unserved = Gauge(
            "gateway_cameras_unserved",
            "Cameras whose producer went without a word, and which no other has taken over",
            registry=registry,
        )
        self.served_twice = Gauge(
            "gateway_cameras_served_twice", "Cameras that several producers serve", registry=registry
        )
        self.cameras_refused = Counter(
            "gateway_cameras_refused_total",
            "Cameras that are not shown because their sender has too many; empty: plain clients without a name",
            ["sender"],
            registry=registry,
        )
        self.cameras_refused.labels("")
        self.senders = Gauge("gateway_senders", "Senders with a name that are in force", registry=registry)
        self.senders_fault = Gauge(
            "gateway_senders_fault",
            "1 while the file of senders cannot be used, and those of before stay in force",
            registry=registry,
        )
        self.unsettled = Gauge(
            "cv_models_unsettled_nodes",
            "Running nodes that do not compute with the models desired of them",
            registry=registry,
        )
        self.recorded = Counter(
            "gateway_recorded_results", "Results written to the history", registry=registry
        )
        self.recorder_errors = Counter(
            "gateway_recorder_errors", "Batches that could not be written at first", registry=registry
        )
        self.history_batch = Histogram(
            "gateway_history_batch_seconds", "Writing one batch to the history", registry=registry
        )
        self.history_waiting = Gauge(
            "gateway_history_waiting_seconds",
            "How long the oldest result in the recorder's hands has been waiting to be written",
            registry=registry,
        )
        self.history_fault = Gauge(
            "gateway_history_fault",
            "1 while the history cannot be written for that reason; damaged, foreign and unwritable last until "
            "somebody acts",
            ["kind"],
            registry=registry,
        )
        self.history_size = Gauge(
            "gateway_history_size_bytes",
            "Size of the history in its database, a minute old",
            registry=registry,
        )
        self.history_free = OptionalGauge(
            "framefleet_history_free_bytes",
            "Room left on the disk of the history's file, a minute old; absent with PostgreSQL, whose disk is its own",
            registry,
        )
        self.database_connections = Gauge(
            "framefleet_database_connections",
            "Connections to the history's database, by whether a question or a batch uses them now",
            ["state"],
            registry=registry,
        )
        self.database_wait = Histogram(
            "framefleet_database_wait_seconds",
            "How long a question to the history waited for its turn, a thread and a connection",
            buckets=WAIT_BUCKETS,
            registry=registry,
        )
        self.history_pruned = Counter(
            "gateway_history_pruned", "What was deleted as too old or too much", ["kind"], registry=registry
        )
        self.thumbnails = Counter(
            "gateway_thumbnails",
            "Pictures for events: stored, unused (no event, or no better), missed (an event's first did not come), "
            "crowded, unreadable, failed",
            ["outcome"],
            registry=registry,
        )
        self.described = Counter(
            "gateway_described",
            "Pictures of events that went to the remote lane for a description, by rule and outcome (sent, refused)",
            ["rule", "outcome"],
            registry=registry,
        )
        self.history_queries = Histogram(
            "gateway_history_query_seconds",
            "Answering a question to the history",
            ["query"],
            registry=registry,
        )
        self.history_refused = Counter(
            "gateway_history_queries_refused",
            "Questions to the history that were not answered: busy, slow, unavailable",
            ["reason"],
            registry=registry,
        )
