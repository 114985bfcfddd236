// Generated from contract/ by `npm run contract` (in the checkout: `make contract`). Do not edit.

import * as r from './values';

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    /** @description A worker that is to stay out of work and is not there: it will take no frames if it comes back. */
    AbsentDrainView: {
      node_id: string;
      since: number;
      by: string | null;
    };
    /** @description The step that begins at `time`. `faces` is the most at once; `frames` does not count those that `expired`. */
    ActivityPointView: {
      time: number;
      frames: number;
      with_detections: number;
      faces: number;
      expired: number;
    };
    /** @description Activity in steps of `step` seconds. Steps in which nothing came are left out. */
    ActivityView: {
      step: number;
      items: components['schemas']['ActivityPointView'][];
    };
    /** @description A rule, as Prometheus has loaded it. `expression` is PromQL, `description` a template. */
    AlertRuleView: {
      name: string;
      group: string;
      severity: string;
      /** @enum {string} */
      state: 'firing' | 'pending' | 'inactive' | 'unknown';
      summary: string;
      description: string;
      runbook: string;
      expression: string;
      for_seconds: number;
      evaluated: number | null;
      error: string | null;
    };
    AlertRulesView: {
      items: components['schemas']['AlertRuleView'][];
      /** @enum {string} */
      source: 'prometheus' | 'none';
      error: string | null;
    };
    /**
     * @description An alert, as its rule tells of it: `description` is what it is about and what to do, with the first ten of a
     *     rule, else empty; `runbook` where more is said (`/api/runbooks/{name}` has the text).
     */
    AlertView: {
      name: string;
      severity: string;
      /** @enum {string} */
      state: 'firing' | 'pending';
      summary: string;
      since: number | null;
      description: string;
      runbook: string;
      labels: {
        [key: string]: string;
      };
      value: number | null;
      silenced_by: string[];
    };
    AlertsView: {
      items: components['schemas']['AlertView'][];
      /** @enum {string} */
      source: 'prometheus' | 'none';
      error: string | null;
      since: number | null;
      /** @default true */
      evaluated: boolean;
      silences: components['schemas']['SilenceView'][];
      silences_error: string | null;
    };
    /** @description What the session's window was at a time. */
    AttendancePointView: {
      time: number;
      users: number;
      sessions: number;
    };
    /**
     * @description Who is here, at most five seconds ago. Each count may be off by 2 %.
     *
     *     `shared` tells whether they are the counts of all gateways; false while Redis does not answer (`trouble` says why),
     *     null where there is none, and each gateway counts its own. `series` has the last three hours at most, minute by
     *     minute, as this gateway has seen them.
     */
    AttendanceView: {
      time: number;
      shared: boolean | null;
      trouble: string;
      windows: components['schemas']['AttendanceWindowView'][];
      series: components['schemas']['AttendancePointView'][];
    };
    /** @description Who was here within the last `minutes` and the one that has begun. */
    AttendanceWindowView: {
      /** @enum {string} */
      name: 'peak' | 'session' | 'limit';
      minutes: number;
      users: components['schemas']['DeviceCountsView'];
      sessions: components['schemas']['DeviceCountsView'];
    };
    /**
     * @description What the project measured of a model, at its own input size: the processor's `seconds` for a picture, the longer
     *     side in pixels of the smallest faces of which it finds nine in ten; of real footage the share of faces found, and
     *     the `surplus` of detections per frame. `machine` says where.
     */
    BenchmarkView: {
      seconds: number;
      faces_from: number;
      recall: number;
      surplus: number;
      machine: string;
    };
    /**
     * @description What its producer has counted of a camera's frames since it took the camera up: `sent` to the queue, `skipped`
     *     because they showed nothing new, and `dropped` by reason. `fps` is its rate of capture.
     */
    CameraCountsView: {
      fps: number;
      sent: number;
      skipped: number;
      dropped: {
        [key: string]: number;
      };
    };
    /**
     * @description One camera. `masks` are polygons that are black in its frames, corners as fractions (0-1) of the picture;
     *     `masks_known` is false where nobody tells them. `counts` is null where no producer speaks for it.
     */
    CameraDetailView: {
      camera: components['schemas']['CameraView'];
      masks: number[][][];
      masks_known: boolean;
      counts: components['schemas']['CameraCountsView'] | null;
    };
    /**
     * @description A camera, with `name` to `district` in its operator's words. `still`: its last picture shows what there is now.
     *
     *     `fps` counts its results, `latency` is that of the last one, from capture to result. `sender` is the user of the
     *     broker that sent its last frame, where that has a name. An answer to a request with
     *     `fields` has only those and `camera_id`.
     */
    CameraView: {
      camera_id: string;
      /** @enum {string} */
      state: 'connecting' | 'live' | 'degraded' | 'stalled' | 'offline' | 'disabled' | 'quiet' | 'unknown';
      reason: string | null;
      since: number | null;
      name: string | null;
      group: string | null;
      location: string | null;
      district: string | null;
      /** @default false */
      still: boolean;
      fps: number | null;
      last_result: number | null;
      faces: number | null;
      latency: number | null;
      width: number | null;
      height: number | null;
      producer_id: string | null;
      sender: string | null;
    };
    /** @description Items that failed for one `reason`; the command says of each what was wrong. */
    ClientJobFailureView: {
      reason: string;
      count: number;
    };
    /**
     * @description A job of `framefleet batch`, of a program or of another `gateway`, on the machine `host`, as its client tells it:
     *     this gateway has no part in it. `lost`: the client is silent; `stalled`: items are under way, and none was settled
     *     for two minutes. `started` is when this run of it began, `heard` when its client was heard last. `listed`: `items`
     *     are all that there will be; other figures are as of the gateway's own jobs.
     */
    ClientJobView: {
      job_id: string;
      host: string;
      gateway: string | null;
      /** @enum {string} */
      state: 'running' | 'stalled' | 'lost' | 'done' | 'interrupted';
      note: string | null;
      started: number;
      heard: number;
      items: number;
      listed: boolean;
      ok: number;
      failed: number;
      retried: number;
      rate: number;
      eta_seconds: number | null;
      failures: components['schemas']['ClientJobFailureView'][];
    };
    /** @description Jobs whose clients were heard within five minutes, those that began last first, 200 at most. */
    ClientJobsView: {
      items: components['schemas']['ClientJobView'][];
    };
    /** @description A dead letter with its headers as text; `picture` is null where there is none: `no_picture` says why. */
    DeadLetterDetailView: {
      letter: components['schemas']['DeadLetterView'];
      headers: components['schemas']['LetterHeaderView'][];
      headers_left_out: number;
      picture: components['schemas']['LetterPictureView'] | null;
      no_picture: string;
      final: boolean;
      meaning: string;
      remedy: string;
    };
    /**
     * @description Dead letters that died for one reason, came from one queue and sender and are of one camera.
     *
     *     `first` and `last` are times of death, null where no letter tells one. `error` is that of the newest. `final`:
     *     trying again ends the same way, since the fault is the message's own. `meaning` and `remedy` are about the reason.
     */
    DeadLetterGroupView: {
      group_id: string;
      reason: string;
      origin: string | null;
      sender: string | null;
      camera_id: string | null;
      count: number;
      size: number;
      first: number | null;
      last: number | null;
      error: string | null;
      final: boolean;
      meaning: string;
      remedy: string;
    };
    /**
     * @description The largest groups; `left_out` counts those that are not listed.
     *
     *     `total` counts the queues as they are now, `looked` those of them that were looked at, at most `most` of each queue.
     */
    DeadLetterGroupsView: {
      total: number;
      looked: number;
      most: number;
      complete: boolean;
      time: number;
      left_out: number;
      items: components['schemas']['DeadLetterGroupView'][];
    };
    /**
     * @description A replay or purge of exactly `count` dead letters, in `size` bytes, which were there when it was proposed.
     *
     *     `summary` and `notes` say what it will do. `queues` counts where the frames go. `by` is the token's name, `address`
     *     where it was confirmed from. `done` is how far it came, `gone` how many were not there any more. `trouble` says what
     *     it waits for, or why it ended early. `died_again` counts those that are dead letters once more; null: not known.
     */
    DeadLetterOperationView: {
      operation_id: string;
      /** @enum {string} */
      kind: 'replay' | 'purge';
      /** @enum {string} */
      state: 'proposed' | 'running' | 'done' | 'stopped' | 'failed' | 'interrupted';
      summary: string;
      notes: string[];
      count: number;
      size: number;
      queues: {
        [key: string]: number;
      };
      lane: string | null;
      fresh: boolean;
      by: string | null;
      address: string;
      created: number;
      started: number | null;
      ended: number | null;
      /** @default 0 */
      done: number;
      /** @default 0 */
      gone: number;
      /** @default  */
      trouble: string;
      died_again: number | null;
    };
    /** @description Newest first: what runs, and what was done by way of this gateway; at most `kept` of them. */
    DeadLetterOperationsView: {
      items: components['schemas']['DeadLetterOperationView'][];
      kept: number;
    };
    /**
     * @description A frame that could not be computed. `deaths` tells why RabbitMQ itself gave up, where it did; `sender` is the one
     *     that it came from, where that has a name.
     */
    DeadLetterView: {
      dead_letter_id: string;
      reason: string;
      error: string | null;
      origin: string | null;
      node_id: string | null;
      time: number | null;
      attempts: number | null;
      camera_id: string | null;
      frame_id: string | null;
      timestamp: number | null;
      content_type: string | null;
      size: number;
      deaths: components['schemas']['DeathView'][];
      sender: string | null;
    };
    /**
     * @description A page of dead letters. `complete` is false if the queue was too long for one look, which was at `time`, or has
     *     changed since.
     */
    DeadLettersView: {
      total: number;
      matching: number;
      complete: boolean;
      time: number;
      next: string | null;
      items: components['schemas']['DeadLetterView'][];
    };
    DeathView: {
      queue: string;
      reason: string;
      count: number;
      time: number | null;
    };
    /**
     * @description The models that operators want; revision 0 is nothing so far. A camera's goes before its lane's, that before the
     *     cluster's.
     */
    DesiredModelsView: {
      revision: number;
      cluster: string | null;
      lanes: {
        [key: string]: string;
      };
      cameras: {
        [key: string]: string;
      };
    };
    /** @description One detection: a box in pixels of the original frame, top-left origin, clipped to it. */
    DetectedObject: {
      x: number;
      y: number;
      w: number;
      h: number;
      confidence: number | null;
      /** @default face */
      label: string;
      landmarks: [number, number][];
    };
    /** @description One detection as the worker wrote it: a box in pixels of the frame, and landmarks (x and y each). */
    DetectionView: {
      x: number;
      y: number;
      w: number;
      h: number;
      confidence: number;
      label: string;
      landmarks: number[][];
    };
    /** @description How many there are on each class of device. `all` are different ones, bots left out. */
    DeviceCountsView: {
      all: number;
      ios: number;
      android: number;
      web_pc: number;
      web_mobile: number;
      other: number;
      bot: number;
    };
    /** @description Since when an operator wants the worker out of work, and the name of the token that asked for it. */
    DrainView: {
      since: number;
      by: string | null;
    };
    /** @description How many events match, up to the one whose id is `newest`: what comes later is not among them. */
    EventCountView: {
      count: number;
      newest: number;
    };
    /**
     * @description The frame of an event's picture, as it was captured at `time`: `width` and `height` in pixels, in which the boxes
     *     and landmarks of its `detections` are.
     */
    EventFrameView: {
      frame_id: string;
      time: number;
      width: number;
      height: number;
      model: string;
      detections: components['schemas']['DetectionView'][];
    };
    /**
     * @description A stretch of time, `start` to `end`, in which a camera saw something without a longer break.
     *
     *     An event that is `open` may still grow. `frames` counts those with a detection, `faces` is the most detections in
     *     one of them, `confidence` the best, in hundredths; all three are 0 for motion without a face, which gateways keep
     *     where a rule asks for it (docs/remote.md). `name` and `group` are those of its beginning.
     *
     *     `seen_by` and `seen_at` are who saw it first, and when; `feedback` is what people say of the detections in its
     *     picture: `wrong`, one is not a face, or `missed`, a face was overlooked. Null: nobody did.
     */
    EventView: {
      event_id: number;
      camera_id: string;
      name: string | null;
      group: string | null;
      start: number;
      end: number;
      open: boolean;
      frames: number;
      faces: number;
      confidence: number;
      model: string;
      thumbnail: string | null;
      picture: string | null;
      frame: components['schemas']['EventFrameView'] | null;
      seen_at: number | null;
      seen_by: string | null;
      feedback: ('wrong' | 'missed') | null;
      note: string | null;
      feedback_at: number | null;
      feedback_by: string | null;
      description: string | null;
      description_model: string | null;
    };
    /** @description How many events were `marked` as seen, and how many that match are `left`: ask again for these. */
    EventsSeenView: {
      marked: number;
      left: number;
    };
    /** @description A page of events. `next` is the cursor of the following page, null on the last one. */
    EventsView: {
      items: components['schemas']['EventView'][];
      next: string | null;
    };
    /** @description A gateway; `own`: the one that answers, of which alone is known what it lacks. Null: its version does not say. */
    GatewayView: {
      gateway_id: string;
      own: boolean;
      /** @enum {string} */
      state: 'running' | 'lost' | 'unknown';
      since: number | null;
      last_seen: number;
      version: string | null;
      host: string;
      memory: number | null;
      missing: string[];
    };
    /** @description A camera that the gateway has forgotten. */
    GoneCamera: {
      camera_id: string;
      /** @constant */
      gone: true;
    };
    /** @description The first message of a connection: the gateway's clock, its staleness budget in seconds, and its version. */
    HelloMessage: {
      time: number;
      /** @default 2 */
      staleness: number;
      /** @default  */
      version: string;
    };
    /** @description Figures over time: `[time, value]`, value null where nothing is known. */
    HistoryView: {
      step: number;
      /** @enum {string} */
      source: 'prometheus' | 'gateway';
      series: {
        [key: string]: [number, number | null][];
      };
      queries: {
        [key: string]: string;
      };
    };
    /** @description A place that a frame passed, at the age of `seconds`. `time` is null where no clock saw it. */
    HopView: {
      /** @enum {string} */
      hop: 'captured' | 'queued' | 'computed' | 'recorded' | 'expired' | 'dead_letter';
      time: number | null;
      seconds: number | null;
      node_id: string | null;
      detail: string | null;
    };
    /** @description Items that failed for one `reason`. `what_to_do` is a sentence for whoever sent them. */
    JobFailureView: {
      reason: string;
      count: number;
      what_to_do: string;
    };
    /**
     * @description The pictures of a job's videos: of those `decoded`, `skipped` were left out (too many a second, or
     *     still), `reused` show what an earlier one shows, and `computed` went to a worker.
     */
    JobFramesView: {
      decoded: number;
      skipped: number;
      reused: number;
      computed: number;
    };
    /**
     * @description An input of a job. `detections` counts what was found: of a video, the stretches in which anything was.
     *     `seconds` are those from sending it to its answer, of a video its length.
     */
    JobItemView: {
      number: number;
      name: string;
      /** @enum {string} */
      kind: 'picture' | 'video';
      /** @enum {string} */
      state: 'waiting' | 'sent' | 'ok' | 'failed';
      reason: string | null;
      error: string | null;
      detections: number;
      seconds: number | null;
      size: number | null;
    };
    /**
     * @description Inputs of a job, in the order in which they came. `next` is the cursor of the next page; null: there is
     *     none.
     */
    JobItemsView: {
      items: components['schemas']['JobItemView'][];
      next: string | null;
    };
    /**
     * @description Seconds from sending an item to its answer, below which half, 95 % and 99 % are; null while there is
     *     none.
     */
    JobLatencyView: {
      p50: number | null;
      p95: number | null;
      p99: number | null;
    };
    /**
     * @description How a job looks at its inputs: at a picture of a video `every` so many seconds (0: at all), in windows of
     *     fixed length or by scenes; `skip` leaves out pictures that show nothing new. `lane` computes them.
     */
    JobSettingsView: {
      every: number;
      /** @enum {string} */
      windows: 'fixed' | 'scene';
      skip: boolean;
      /** @constant */
      lane: 'batch';
    };
    /**
     * @description What is known of a video so far; `state` as of the item. `seconds` is how far it was read. Windows are
     *     known once it was read to its end. `pictures` are the times of which GET …/picture?time= has one: the best
     *     of each second in which something was found, and until then the first of all.
     */
    JobTimelineView: {
      number: number;
      name: string;
      /** @enum {string} */
      state: 'waiting' | 'sent' | 'ok' | 'failed';
      seconds: number;
      presences: components['schemas']['PresenceView'][];
      windows: components['schemas']['WindowView'][];
      skipped: components['schemas']['SkippedView'][];
      pictures: number[];
    };
    /**
     * @description A job's uploads, complete or not, in the order in which they began. `next` is the cursor of the next page; null:
     *     there is none.
     */
    JobUploadsView: {
      uploads: components['schemas']['UploadView'][];
      next: string | null;
    };
    /**
     * @description A job. `state` is `uploading` until it is said that no more uploads come, though its work has begun
     *     before, and `running` until all is settled; `failed`: it cannot go on, `note` says why; `lost`: its books
     *     are gone.
     *
     *     `note` says what it waits for, if it does. `items` counts pictures, videos and those of their pictures that
     *     are analysed; `rate` is items settled a second lately, `eta_seconds` is null while nobody can tell, `bytes`
     *     are those of its uploads. `uploads` are those that are not complete yet, at most a hundred; `files` counts
     *     those that are.
     */
    JobView: {
      job_id: string;
      name: string;
      /** @enum {string} */
      state: 'uploading' | 'running' | 'paused' | 'done' | 'cancelled' | 'failed' | 'lost';
      note: string | null;
      complete: boolean;
      settings: components['schemas']['JobSettingsView'];
      created: number;
      started: number | null;
      ended: number | null;
      by: string | null;
      items: number;
      ok: number;
      failed: number;
      retried: number;
      rate: number;
      eta_seconds: number | null;
      bytes: number;
      files: number;
      videos: number;
      frames: components['schemas']['JobFramesView'];
      failures: components['schemas']['JobFailureView'][];
      latency: components['schemas']['JobLatencyView'];
      uploads: components['schemas']['UploadView'][];
    };
    /** @description Jobs, newest first. `next` is the cursor of the next page; null: there is none. */
    JobsView: {
      items: components['schemas']['JobView'][];
      next: string | null;
    };
    LatencyView: {
      p50: number | null;
      p95: number | null;
      p99: number | null;
    };
    LetterHeaderView: {
      name: string;
      text: string;
    };
    /** @description `damage` says what is wrong with a picture that can be shown in part. */
    LetterPictureView: {
      width: number;
      height: number;
      size: number;
      content_type: string;
      damage: string;
    };
    /** @description A link that signs in one browser, once, until `expires` (Unix seconds). */
    LinkView: {
      link: string;
      expires: number;
    };
    MetricsView: {
      processingRate: number | null;
      avgLatency: number | null;
      queueDepth: number | null;
      latency: components['schemas']['LatencyView'];
      notComputed: number | null;
      errors: number | null;
      failedByReason: {
        [key: string]: number;
      };
      nodes: components['schemas']['NodeFiguresView'][];
      workers: number;
      starting: boolean;
      source: components['schemas']['SourcesView'];
      time: number;
      objectives: components['schemas']['ObjectivesView'];
      /** @default [] */
      notices: string[];
      canary: string | null;
      prometheus: components['schemas']['PrometheusStateView'] | null;
    };
    /** @description What a frame costs a worker of this cluster, as a mean of the newest `frames` with that `model` and digest. */
    ModelCostView: {
      model: string;
      seconds: number;
      frames: number;
    };
    /** @description The newest switch that this gateway has seen, of the cluster, a lane or a camera; null: their own setting. */
    ModelSwitchView: {
      lane: string | null;
      camera: string | null;
      before: string | null;
      after: string | null;
      time: number;
    };
    /**
     * @description A model that live nodes know. `states` and `errors` by node; several digests under one name are a conflict.
     *     `size` is its file's, in bytes. `benchmark` is null for a model that the project did not measure.
     */
    ModelView: {
      name: string;
      task: string;
      licence: string | null;
      size: number | null;
      benchmark: components['schemas']['BenchmarkView'] | null;
      digests: string[];
      conflict: boolean;
      states: {
        [key: string]: string;
      };
      errors: {
        [key: string]: string;
      };
    };
    /**
     * @description Models, wishes and nodes. `settled` is true once every running node computes with what is desired. `costs` are
     *     those of models that have computed frames here; `last` is null since the gateway's start until somebody switches.
     */
    ModelsView: {
      models: components['schemas']['ModelView'][];
      desired: components['schemas']['DesiredModelsView'];
      nodes: components['schemas']['NodeModelsView'][];
      costs: components['schemas']['ModelCostView'][];
      last: components['schemas']['ModelSwitchView'] | null;
    };
    NodeFiguresView: {
      node_id: string;
      fps: number | null;
      busy: number | null;
      p95: number | null;
    };
    /**
     * @description A node's `model` in use, and the one `wanted` of its lane, null where its own setting decides. `todo` says in a
     *     sentence what keeps it from switching.
     */
    NodeModelsView: {
      node_id: string;
      /** @enum {string} */
      state: 'running' | 'draining' | 'drained' | 'lost' | 'unknown';
      lane: string;
      model: string;
      wanted: string | null;
      settled: boolean;
      todo: string | null;
    };
    NodeView: {
      node_id: string;
      /** @enum {unknown} */
      state: 'drained' | 'draining' | 'lost' | 'running' | 'unknown';
      lane: string | null;
      model: string | null;
      detector: string | null;
      fallback: string | null;
      fps: number | null;
      busy: number | null;
      since: number | null;
      last_seen: number | null;
      /** @default 0 */
      desired: number;
      model_error: string | null;
      /** @default true */
      settled: boolean;
      drain: components['schemas']['DrainView'] | null;
    };
    /** @description Everybody at work, by id. `expected` workers is GATEWAY_EXPECTED_WORKERS. */
    NodesView: {
      items: components['schemas']['WorkerView'][];
      expected: number | null;
      producers: components['schemas']['ProducerView'][];
      gateways: components['schemas']['GatewayView'][];
      absent: components['schemas']['AbsentDrainView'][];
    };
    /** @description The figures past which a card turns red. */
    ObjectivesView: {
      /** @default 0.5 */
      latencyP95: number;
      /** @default 300 */
      queueDepth: number;
      /** @default 0.01 */
      notComputed: number;
      /** @default 0 */
      errors: number;
    };
    /**
     * @description A stretch of a video in which faces were found, in seconds of the video: how many at once at most, how
     *     sure the best is (0-1), and `best_time`, whose picture shows it.
     */
    PresenceView: {
      time: number;
      until: number;
      faces: number;
      confidence: number;
      best_time: number;
    };
    /** @description The shape of every error, the same as Prometheus gives its own. */
    ProblemView: {
      error: string;
    };
    /** @description A producer. `fps`: its frames that the broker confirmed, a second; null until two heartbeats were heard. */
    ProducerView: {
      producer_id: string;
      /** @enum {string} */
      state: 'running' | 'lost' | 'unknown';
      cameras: number;
      fps: number | null;
      outstanding: number;
      window: number;
      since: number;
      last_seen: number;
      version: string;
      host: string;
      memory: number | null;
    };
    /** @description Whether Prometheus answers: `error` says why it does not, `since` when that began. Both null: it does. */
    PrometheusStateView: {
      error: string | null;
      since: number | null;
    };
    /**
     * @description A queue. `messages` are ready: what workers hold is not counted. Null where nothing is known; `unknown` says why.
     *
     *     `oldest` is how long the first message waits, in seconds: exact while workers take frames, else at least so long
     *     (`oldest_at_least`). `rate_in` and `rate_out` are frames a second over the last minute, of a lane as a whole: its
     *     own queue, its senders' and its retries. `limit` and `size_limit` are the bounds; `down` is what RabbitMQ said.
     */
    QueueView: {
      name: string;
      /** @enum {string} */
      purpose: 'lane' | 'sender' | 'retry' | 'results' | 'dead_letters';
      lane: string | null;
      sender: string | null;
      messages: number | null;
      limit: number | null;
      size_limit: number | null;
      consumers: number | null;
      oldest: number | null;
      oldest_at_least: boolean;
      rate_in: number | null;
      rate_out: number | null;
      down: string | null;
      unknown: string;
    };
    /** @description All queues: the lanes' first. `window` is what the rates are over, in seconds. */
    QueuesView: {
      items: components['schemas']['QueueView'][];
      window: number;
      time: number;
    };
    /** @description Where more is to be seen: an address on this gateway. */
    ReferenceView: {
      name: string;
      href: string;
    };
    /**
     * @description What a lane has without one of its workers: `workers` that take frames, the frames a second that they could
     *     compute if they were always busy (`capacity`, from their last half minute; null: not known), and those that the lane
     *     computes now, with that worker (`load`).
     */
    RemainderView: {
      workers: number;
      capacity: number | null;
      load: number;
    };
    /**
     * @description `state`: `absent` without a worker, `paused` by an operator, `held` if all are, else `open`. `waiting` frames are
     *     in the lane's queue; null while the broker does not tell. `day` and `month` are null without a worker. `raised` are
     *     the dollars by which operators have raised the budgets of these two. `warned`: the warning threshold is passed.
     *     `warning`: workers that do not share limits and books; else empty.
     */
    RemoteView: {
      /** @enum {string} */
      state: 'absent' | 'open' | 'held' | 'paused';
      reason: string;
      waiting: number | null;
      workers: components['schemas']['RemoteWorkerView'][];
      day: components['schemas']['SpentView'] | null;
      month: components['schemas']['SpentView'] | null;
      warned: boolean;
      warning: string;
      raised: {
        [key: string]: number;
      };
    };
    /**
     * @description A worker of the remote lane. `reason` says why it takes no frames; `concurrency` is how many calls it may make
     *     at once now.
     */
    RemoteWorkerView: {
      node_id: string;
      endpoint: string;
      model: string;
      /** @enum {string} */
      state: 'open' | 'waiting' | 'held';
      held_by: string;
      reason: string;
      concurrency: number;
      calls: number;
      errors: number;
      frame_most: number;
      prices_changed: number | null;
    };
    /**
     * @description The result of one frame. Times in Unix seconds, durations in seconds, sizes in pixels.
     *
     *     `status` is `ok`, or `expired` for a frame that was not computed, with the hop and the reason. `sender` is the
     *     user that it came from, where that has a name (contract.senders). `description` is what a remote model says of the
     *     picture, and `cost` what its answer cost, in dollars. `recipe`, in the batch lane, is a digest of all that the
     *     answer depends on beside the picture (contract.status.NodeStatus): by it results are kept and reused. `motion` is
     *     the share of the picture, 0-1, that its producer saw change, told where nothing was detected.
     */
    Result: {
      /** @default 0 */
      timestamp: number;
      original_timestamp: number;
      /** @default  */
      node_id: string;
      detections: components['schemas']['DetectedObject'][];
      camera_id: string;
      /** @default  */
      frame_id: string;
      width: number | null;
      height: number | null;
      model: string | null;
      recipe: string | null;
      description: string | null;
      cost: number | null;
      motion: number | null;
    };
    /** @description What to do about the alert of that name: Markdown, as in docs/runbooks. */
    RunbookView: {
      name: string;
      text: string;
    };
    /** @description Ratios are of all events of the window, 0 to 1; None where nothing is known yet. */
    ServiceObjectiveView: {
      name: string;
      objective: number;
      window_days: number;
      known_seconds: number;
      sli: number | null;
      error_budget_remaining: number | null;
      burn_rate: number | null;
    };
    ServiceObjectivesView: {
      items: components['schemas']['ServiceObjectiveView'][];
      /** @enum {string} */
      source: 'prometheus' | 'none';
      error: string | null;
    };
    /**
     * @description The session of whoever asks. `name` is that of the token, `expires` the end of a browser's session.
     *
     *     `launcher` tells how the system was started, and so by which commands it is changed; null: nobody said.
     */
    SessionView: {
      /** @enum {string} */
      role: 'viewer' | 'operator';
      name: string | null;
      expires: number | null;
      version: string;
      launcher: ('native' | 'compose') | null;
    };
    /** @description A silence of Alertmanager: until `ends` what matches is not sent. */
    SilenceView: {
      id: string;
      matchers: string[];
      comment: string;
      created_by: string;
      starts: number | null;
      ends: number | null;
    };
    /** @description A stretch of a video of a second or more that showed nothing new. */
    SkippedView: {
      time: number;
      until: number;
    };
    SourcesView: {
      /** @enum {string} */
      processingRate: 'prometheus' | 'gateway';
      /** @enum {string} */
      avgLatency: 'prometheus' | 'gateway';
      /** @enum {string} */
      queueDepth: 'prometheus' | 'gateway';
      /** @enum {string} */
      latency: 'prometheus' | 'gateway';
      /** @enum {string} */
      notComputed: 'prometheus' | 'gateway';
      /** @enum {string} */
      errors: 'prometheus' | 'gateway';
      /** @enum {string} */
      nodes: 'prometheus' | 'gateway';
    };
    /**
     * @description Dollars of a day or month, `period` being its name. `uncertain` and `reserved` count as spent: nobody knows
     *     whether calls without an answer were charged, and what is under way may be. `limit` is null without a budget.
     */
    SpentView: {
      period: string;
      spent: number;
      uncertain: number;
      reserved: number;
      limit: number | null;
      calls: number;
      frames: number;
    };
    /** @description The camera's state, and the reason for it, since `time` (Unix seconds). */
    StateChangeView: {
      time: number;
      /** @enum {string} */
      state:
        | 'connecting'
        | 'live'
        | 'degraded'
        | 'stalled'
        | 'offline'
        | 'disabled'
        | 'quiet'
        | 'unknown'
        | 'removed'
        | 'forgotten';
      reason: string | null;
      producer_id: string | null;
    };
    /**
     * @description Changes of a camera's state, newest first, and the one that was in force when the span began. `more`: older ones
     *     of the span are left out. Changes while no gateway ran are not in it.
     */
    StateChangesView: {
      items: components['schemas']['StateChangeView'][];
      more: boolean;
    };
    /** @description The gateway's state in a word; `missing` names what it lacks to do its work, `notes` what works less well. */
    StatusView: {
      status: string;
      missing: string[];
      notes: string[];
    };
    /**
     * @description A file that is sent: `offset` of its `size` bytes have come. `note` says what it waits for, if it does: a
     *     video with its index at its end is read when all of it is there.
     */
    UploadView: {
      upload_id: string;
      name: string;
      size: number;
      offset: number;
      /** @enum {string} */
      state: 'receiving' | 'complete';
      note: string | null;
    };
    /**
     * @description The verdict on a frame, as a word and in `words`. `reason` is the word that metrics and dead letters have for it;
     *     `remedy` says what to do, null where nothing is to be done. `frame_id` is the one under which it was found.
     */
    WhyView: {
      frame_id: string;
      camera_id: string | null;
      /** @enum {string} */
      verdict: 'computed' | 'expired' | 'dead_lettered' | 'retried_waiting' | 'repeated' | 'unknown';
      words: string;
      reason: string | null;
      remedy: string | null;
      hops: components['schemas']['HopView'][];
      witnesses: components['schemas']['WitnessView'][];
      links: components['schemas']['ReferenceView'][];
    };
    /** @description A stretch of a video that was analysed as one: of its `samples` so many were `analysed`. */
    WindowView: {
      number: number;
      time: number;
      until: number;
      samples: number;
      analysed: number;
    };
    /**
     * @description The cameras of this subscription whose pictures do not come: nobody knows them (yet), or more pictures are wanted
     *     than a gateway may watch cameras, and others have a right to theirs. All of them, whenever it changes.
     */
    WithheldMessage: {
      crowded: string[];
    };
    /** @description What one place says of the frame. `not_asked`: the words say why it was not; `unavailable`: it did not answer. */
    WitnessView: {
      /** @enum {string} */
      place: 'history' | 'dead_letters' | 'camera' | 'queues' | 'metrics' | 'logs';
      /** @enum {string} */
      state: 'found' | 'nothing' | 'unavailable' | 'not_asked';
      words: string;
    };
    /**
     * @description A worker in full. `p95`: seconds of computing that 95 % of its frames of the last minute stayed below. `lacks`
     *     says in sentences what keeps it from its best; `without` what draining it would leave.
     */
    WorkerView: {
      node_id: string;
      /** @enum {string} */
      state: 'running' | 'draining' | 'drained' | 'lost' | 'unknown';
      lane: string;
      model: string;
      detector: string;
      fallback: string | null;
      fps: number;
      busy: number;
      since: number;
      last_seen: number;
      model_error: string | null;
      drain: components['schemas']['DrainView'] | null;
      version: string;
      host: string;
      memory: number | null;
      p95: number | null;
      lacks: string[];
      without: components['schemas']['RemainderView'];
    };
    /** @description A dashboard has painted a frame `age` seconds after its capture. */
    Painted: {
      /** @enum {unknown} */
      type: 'painted';
      frame_id: string;
      age: number;
    };
    /** @description Change the subscription: an absent field stays as it is, `null` means any. All conditions hold together. */
    Subscribe: {
      /** @enum {unknown} */
      type: 'subscribe';
      cameras?: string[] | null;
      groups?: string[] | null;
      nodes?: string[] | null;
      detections?: boolean;
      pictures?: string[];
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type AbsentDrainView = components['schemas']['AbsentDrainView'];
export type ActivityPointView = components['schemas']['ActivityPointView'];
export type ActivityView = components['schemas']['ActivityView'];
export type AlertRuleView = components['schemas']['AlertRuleView'];
export type AlertRulesView = components['schemas']['AlertRulesView'];
export type AlertView = components['schemas']['AlertView'];
export type AlertsView = components['schemas']['AlertsView'];
export type AttendancePointView = components['schemas']['AttendancePointView'];
export type AttendanceView = components['schemas']['AttendanceView'];
export type AttendanceWindowView = components['schemas']['AttendanceWindowView'];
export type BenchmarkView = components['schemas']['BenchmarkView'];
export type CameraCountsView = components['schemas']['CameraCountsView'];
export type CameraDetailView = components['schemas']['CameraDetailView'];
export type CameraView = components['schemas']['CameraView'];
export type ClientJobFailureView = components['schemas']['ClientJobFailureView'];
export type ClientJobView = components['schemas']['ClientJobView'];
export type ClientJobsView = components['schemas']['ClientJobsView'];
export type DeadLetterDetailView = components['schemas']['DeadLetterDetailView'];
export type DeadLetterGroupView = components['schemas']['DeadLetterGroupView'];
export type DeadLetterGroupsView = components['schemas']['DeadLetterGroupsView'];
export type DeadLetterOperationView = components['schemas']['DeadLetterOperationView'];
export type DeadLetterOperationsView = components['schemas']['DeadLetterOperationsView'];
export type DeadLetterView = components['schemas']['DeadLetterView'];
export type DeadLettersView = components['schemas']['DeadLettersView'];
export type DeathView = components['schemas']['DeathView'];
export type DesiredModelsView = components['schemas']['DesiredModelsView'];
export type DetectedObject = components['schemas']['DetectedObject'];
export type DetectionView = components['schemas']['DetectionView'];
export type DeviceCountsView = components['schemas']['DeviceCountsView'];
export type DrainView = components['schemas']['DrainView'];
export type EventCountView = components['schemas']['EventCountView'];
export type EventFrameView = components['schemas']['EventFrameView'];
export type EventView = components['schemas']['EventView'];
export type EventsSeenView = components['schemas']['EventsSeenView'];
export type EventsView = components['schemas']['EventsView'];
export type GatewayView = components['schemas']['GatewayView'];
export type GoneCamera = components['schemas']['GoneCamera'];
export type HelloMessage = components['schemas']['HelloMessage'];
export type HistoryView = components['schemas']['HistoryView'];
export type HopView = components['schemas']['HopView'];
export type JobFailureView = components['schemas']['JobFailureView'];
export type JobFramesView = components['schemas']['JobFramesView'];
export type JobItemView = components['schemas']['JobItemView'];
export type JobItemsView = components['schemas']['JobItemsView'];
export type JobLatencyView = components['schemas']['JobLatencyView'];
export type JobSettingsView = components['schemas']['JobSettingsView'];
export type JobTimelineView = components['schemas']['JobTimelineView'];
export type JobUploadsView = components['schemas']['JobUploadsView'];
export type JobView = components['schemas']['JobView'];
export type JobsView = components['schemas']['JobsView'];
export type LatencyView = components['schemas']['LatencyView'];
export type LetterHeaderView = components['schemas']['LetterHeaderView'];
export type LetterPictureView = components['schemas']['LetterPictureView'];
export type LinkView = components['schemas']['LinkView'];
export type MetricsView = components['schemas']['MetricsView'];
export type ModelCostView = components['schemas']['ModelCostView'];
export type ModelSwitchView = components['schemas']['ModelSwitchView'];
export type ModelView = components['schemas']['ModelView'];
export type ModelsView = components['schemas']['ModelsView'];
export type NodeFiguresView = components['schemas']['NodeFiguresView'];
export type NodeModelsView = components['schemas']['NodeModelsView'];
export type NodeView = components['schemas']['NodeView'];
export type NodesView = components['schemas']['NodesView'];
export type ObjectivesView = components['schemas']['ObjectivesView'];
export type PresenceView = components['schemas']['PresenceView'];
export type ProblemView = components['schemas']['ProblemView'];
export type ProducerView = components['schemas']['ProducerView'];
export type PrometheusStateView = components['schemas']['PrometheusStateView'];
export type QueueView = components['schemas']['QueueView'];
export type QueuesView = components['schemas']['QueuesView'];
export type ReferenceView = components['schemas']['ReferenceView'];
export type RemainderView = components['schemas']['RemainderView'];
export type RemoteView = components['schemas']['RemoteView'];
export type RemoteWorkerView = components['schemas']['RemoteWorkerView'];
export type Result = components['schemas']['Result'];
export type RunbookView = components['schemas']['RunbookView'];
export type ServiceObjectiveView = components['schemas']['ServiceObjectiveView'];
export type ServiceObjectivesView = components['schemas']['ServiceObjectivesView'];
export type SessionView = components['schemas']['SessionView'];
export type SilenceView = components['schemas']['SilenceView'];
export type SkippedView = components['schemas']['SkippedView'];
export type SourcesView = components['schemas']['SourcesView'];
export type SpentView = components['schemas']['SpentView'];
export type StateChangeView = components['schemas']['StateChangeView'];
export type StateChangesView = components['schemas']['StateChangesView'];
export type StatusView = components['schemas']['StatusView'];
export type UploadView = components['schemas']['UploadView'];
export type WhyView = components['schemas']['WhyView'];
export type WindowView = components['schemas']['WindowView'];
export type WithheldMessage = components['schemas']['WithheldMessage'];
export type WitnessView = components['schemas']['WitnessView'];
export type WorkerView = components['schemas']['WorkerView'];
export type Painted = components['schemas']['Painted'];
export type Subscribe = components['schemas']['Subscribe'];
export type $defs = Record<string, never>;
export type operations = Record<string, never>;

export const CONTENT_TYPES = ['image/jpeg', 'image/png'] as const;

export const CAMERA_ID = /^[A-Za-z0-9_-]{1,64}$/;

export function readAbsentDrainView(value: unknown): AbsentDrainView | null {
  if (!r.isFields(value)) return null;
  const node_id = r.string(value['node_id']);
  if (node_id === null) return null;
  const since = r.number(value['since']);
  if (since === null) return null;
  return { node_id, since, by: r.string(value['by']) };
}

export function readActivityPointView(value: unknown): ActivityPointView | null {
  if (!r.isFields(value)) return null;
  const time = r.number(value['time']);
  if (time === null) return null;
  const frames = r.number(value['frames']);
  if (frames === null) return null;
  const with_detections = r.number(value['with_detections']);
  if (with_detections === null) return null;
  const faces = r.number(value['faces']);
  if (faces === null) return null;
  const expired = r.number(value['expired']);
  if (expired === null) return null;
  return { time, frames, with_detections, faces, expired };
}

export function readActivityView(value: unknown): ActivityView | null {
  if (!r.isFields(value)) return null;
  const step = r.number(value['step']);
  if (step === null) return null;
  const items = r.list(value['items'], readActivityPointView);
  if (items === null) return null;
  return { step, items };
}

export function readAlertRuleView(value: unknown): AlertRuleView | null {
  if (!r.isFields(value)) return null;
  const name = r.string(value['name']);
  if (name === null) return null;
  const group = r.string(value['group']);
  if (group === null) return null;
  const severity = r.string(value['severity']);
  if (severity === null) return null;
  const state = r.one(value['state'], ['firing', 'pending', 'inactive', 'unknown']);
  if (state === null) return null;
  const summary = r.string(value['summary']);
  if (summary === null) return null;
  const description = r.string(value['description']);
  if (description === null) return null;
  const runbook = r.string(value['runbook']);
  if (runbook === null) return null;
  const expression = r.string(value['expression']);
  if (expression === null) return null;
  const for_seconds = r.number(value['for_seconds']);
  if (for_seconds === null) return null;
  return {
    name,
    group,
    severity,
    state,
    summary,
    description,
    runbook,
    expression,
    for_seconds,
    evaluated: r.number(value['evaluated']),
    error: r.string(value['error']),
  };
}

export function readAlertRulesView(value: unknown): AlertRulesView | null {
  if (!r.isFields(value)) return null;
  const items = r.list(value['items'], readAlertRuleView);
  if (items === null) return null;
  const source = r.one(value['source'], ['prometheus', 'none']);
  if (source === null) return null;
  return { items, source, error: r.string(value['error']) };
}

export function readAlertView(value: unknown): AlertView | null {
  if (!r.isFields(value)) return null;
  const name = r.string(value['name']);
  if (name === null) return null;
  const severity = r.string(value['severity']);
  if (severity === null) return null;
  const state = r.one(value['state'], ['firing', 'pending']);
  if (state === null) return null;
  const summary = r.string(value['summary']);
  if (summary === null) return null;
  const description = r.string(value['description']);
  if (description === null) return null;
  const runbook = r.string(value['runbook']);
  if (runbook === null) return null;
  const labels = r.record(value['labels'], r.string);
  if (labels === null) return null;
  const silenced_by = r.list(value['silenced_by'], r.string);
  if (silenced_by === null) return null;
  return {
    name,
    severity,
    state,
    summary,
    since: r.number(value['since']),
    description,
    runbook,
    labels,
    value: r.number(value['value']),
    silenced_by,
  };
}

export function readAlertsView(value: unknown): AlertsView | null {
  if (!r.isFields(value)) return null;
  const items = r.list(value['items'], readAlertView);
  if (items === null) return null;
  const source = r.one(value['source'], ['prometheus', 'none']);
  if (source === null) return null;
  const silences = r.list(value['silences'], readSilenceView);
  if (silences === null) return null;
  return {
    items,
    source,
    error: r.string(value['error']),
    since: r.number(value['since']),
    evaluated: r.boolean(value['evaluated']) ?? true,
    silences,
    silences_error: r.string(value['silences_error']),
  };
}

export function readAttendancePointView(value: unknown): AttendancePointView | null {
  if (!r.isFields(value)) return null;
  const time = r.number(value['time']);
  if (time === null) return null;
  const users = r.number(value['users']);
  if (users === null) return null;
  const sessions = r.number(value['sessions']);
  if (sessions === null) return null;
  return { time, users, sessions };
}

export function readAttendanceView(value: unknown): AttendanceView | null {
  if (!r.isFields(value)) return null;
  const time = r.number(value['time']);
  if (time === null) return null;
  const trouble = r.string(value['trouble']);
  if (trouble === null) return null;
  const windows = r.list(value['windows'], readAttendanceWindowView);
  if (windows === null) return null;
  const series = r.list(value['series'], readAttendancePointView);
  if (series === null) return null;
  return { time, shared: r.boolean(value['shared']), trouble, windows, series };
}

export function readAttendanceWindowView(value: unknown): AttendanceWindowView | null {
  if (!r.isFields(value)) return null;
  const name = r.one(value['name'], ['peak', 'session', 'limit']);
  if (name === null) return null;
  const minutes = r.number(value['minutes']);
  if (minutes === null) return null;
  const users = readDeviceCountsView(value['users']);
  if (users === null) return null;
  const sessions = readDeviceCountsView(value['sessions']);
  if (sessions === null) return null;
  return { name, minutes, users, sessions };
}

export function readBenchmarkView(value: unknown): BenchmarkView | null {
  if (!r.isFields(value)) return null;
  const seconds = r.number(value['seconds']);
  if (seconds === null) return null;
  const faces_from = r.number(value['faces_from']);
  if (faces_from === null) return null;
  const recall = r.number(value['recall']);
  if (recall === null) return null;
  const surplus = r.number(value['surplus']);
  if (surplus === null) return null;
  const machine = r.string(value['machine']);
  if (machine === null) return null;
  return { seconds, faces_from, recall, surplus, machine };
}

export function readCameraCountsView(value: unknown): CameraCountsView | null {
  if (!r.isFields(value)) return null;
  const fps = r.number(value['fps']);
  if (fps === null) return null;
  const sent = r.number(value['sent']);
  if (sent === null) return null;
  const skipped = r.number(value['skipped']);
  if (skipped === null) return null;
  const dropped = r.record(value['dropped'], r.number);
  if (dropped === null) return null;
  return { fps, sent, skipped, dropped };
}

export function readCameraDetailView(value: unknown): CameraDetailView | null {
  if (!r.isFields(value)) return null;
  const camera = readCameraView(value['camera']);
  if (camera === null) return null;
  const masks = r.list(value['masks'], (item: unknown) =>
    r.list(item, (item: unknown) => r.list(item, r.number)),
  );
  if (masks === null) return null;
  const masks_known = r.boolean(value['masks_known']);
  if (masks_known === null) return null;
  return { camera, masks, masks_known, counts: readCameraCountsView(value['counts']) };
}

export function readCameraView(value: unknown): CameraView | null {
  if (!r.isFields(value)) return null;
  const camera_id = r.text(value['camera_id']);
  if (camera_id === null) return null;
  const state = r.one(value['state'], [
    'connecting',
    'live',
    'degraded',
    'stalled',
    'offline',
    'disabled',
    'quiet',
    'unknown',
  ]);
  if (state === null) return null;
  return {
    camera_id,
    state,
    reason: r.text(value['reason']),
    since: r.number(value['since']),
    name: r.text(value['name']),
    group: r.text(value['group']),
    location: r.text(value['location']),
    district: r.text(value['district']),
    still: r.boolean(value['still']) ?? false,
    fps: r.number(value['fps']),
    last_result: r.number(value['last_result']),
    faces: r.number(value['faces']),
    latency: r.number(value['latency']),
    width: r.positive(value['width']),
    height: r.positive(value['height']),
    producer_id: r.text(value['producer_id']),
    sender: r.text(value['sender']),
  };
}

export function readClientJobFailureView(value: unknown): ClientJobFailureView | null {
  if (!r.isFields(value)) return null;
  const reason = r.string(value['reason']);
  if (reason === null) return null;
  const count = r.number(value['count']);
  if (count === null) return null;
  return { reason, count };
}

export function readClientJobView(value: unknown): ClientJobView | null {
  if (!r.isFields(value)) return null;
  const job_id = r.string(value['job_id']);
  if (job_id === null) return null;
  const host = r.string(value['host']);
  if (host === null) return null;
  const state = r.one(value['state'], ['running', 'stalled', 'lost', 'done', 'interrupted']);
  if (state === null) return null;
  const started = r.number(value['started']);
  if (started === null) return null;
  const heard = r.number(value['heard']);
  if (heard === null) return null;
  const items = r.number(value['items']);
  if (items === null) return null;
  const listed = r.boolean(value['listed']);
  if (listed === null) return null;
  const ok = r.number(value['ok']);
  if (ok === null) return null;
  const failed = r.number(value['failed']);
  if (failed === null) return null;
  const retried = r.number(value['retried']);
  if (retried === null) return null;
  const rate = r.number(value['rate']);
  if (rate === null) return null;
  const failures = r.list(value['failures'], readClientJobFailureView);
  if (failures === null) return null;
  return {
    job_id,
    host,
    gateway: r.string(value['gateway']),
    state,
    note: r.string(value['note']),
    started,
    heard,
    items,
    listed,
    ok,
    failed,
    retried,
    rate,
    eta_seconds: r.number(value['eta_seconds']),
    failures,
  };
}

export function readClientJobsView(value: unknown): ClientJobsView | null {
  if (!r.isFields(value)) return null;
  const items = r.list(value['items'], readClientJobView);
  if (items === null) return null;
  return { items };
}

export function readDeadLetterDetailView(value: unknown): DeadLetterDetailView | null {
  if (!r.isFields(value)) return null;
  const letter = readDeadLetterView(value['letter']);
  if (letter === null) return null;
  const headers = r.list(value['headers'], readLetterHeaderView);
  if (headers === null) return null;
  const headers_left_out = r.number(value['headers_left_out']);
  if (headers_left_out === null) return null;
  const no_picture = r.string(value['no_picture']);
  if (no_picture === null) return null;
  const final = r.boolean(value['final']);
  if (final === null) return null;
  const meaning = r.string(value['meaning']);
  if (meaning === null) return null;
  const remedy = r.string(value['remedy']);
  if (remedy === null) return null;
  return {
    letter,
    headers,
    headers_left_out,
    picture: readLetterPictureView(value['picture']),
    no_picture,
    final,
    meaning,
    remedy,
  };
}

export function readDeadLetterGroupView(value: unknown): DeadLetterGroupView | null {
  if (!r.isFields(value)) return null;
  const group_id = r.string(value['group_id']);
  if (group_id === null) return null;
  const reason = r.string(value['reason']);
  if (reason === null) return null;
  const count = r.number(value['count']);
  if (count === null) return null;
  const size = r.number(value['size']);
  if (size === null) return null;
  const final = r.boolean(value['final']);
  if (final === null) return null;
  const meaning = r.string(value['meaning']);
  if (meaning === null) return null;
  const remedy = r.string(value['remedy']);
  if (remedy === null) return null;
  return {
    group_id,
    reason,
    origin: r.string(value['origin']),
    sender: r.string(value['sender']),
    camera_id: r.string(value['camera_id']),
    count,
    size,
    first: r.number(value['first']),
    last: r.number(value['last']),
    error: r.string(value['error']),
    final,
    meaning,
    remedy,
  };
}

export function readDeadLetterGroupsView(value: unknown): DeadLetterGroupsView | null {
  if (!r.isFields(value)) return null;
  const total = r.number(value['total']);
  if (total === null) return null;
  const looked = r.number(value['looked']);
  if (looked === null) return null;
  const most = r.number(value['most']);
  if (most === null) return null;
  const complete = r.boolean(value['complete']);
  if (complete === null) return null;
  const time = r.number(value['time']);
  if (time === null) return null;
  const left_out = r.number(value['left_out']);
  if (left_out === null) return null;
  const items = r.list(value['items'], readDeadLetterGroupView);
  if (items === null) return null;
  return { total, looked, most, complete, time, left_out, items };
}

export function readDeadLetterOperationView(value: unknown): DeadLetterOperationView | null {
  if (!r.isFields(value)) return null;
  const operation_id = r.string(value['operation_id']);
  if (operation_id === null) return null;
  const kind = r.one(value['kind'], ['replay', 'purge']);
  if (kind === null) return null;
  const state = r.one(value['state'], ['proposed', 'running', 'done', 'stopped', 'failed', 'interrupted']);
  if (state === null) return null;
  const summary = r.string(value['summary']);
  if (summary === null) return null;
  const notes = r.list(value['notes'], r.string);
  if (notes === null) return null;
  const count = r.number(value['count']);
  if (count === null) return null;
  const size = r.number(value['size']);
  if (size === null) return null;
  const queues = r.record(value['queues'], r.number);
  if (queues === null) return null;
  const fresh = r.boolean(value['fresh']);
  if (fresh === null) return null;
  const address = r.string(value['address']);
  if (address === null) return null;
  const created = r.number(value['created']);
  if (created === null) return null;
  return {
    operation_id,
    kind,
    state,
    summary,
    notes,
    count,
    size,
    queues,
    lane: r.string(value['lane']),
    fresh,
    by: r.string(value['by']),
    address,
    created,
    started: r.number(value['started']),
    ended: r.number(value['ended']),
    done: r.number(value['done']) ?? 0,
    gone: r.number(value['gone']) ?? 0,
    trouble: r.string(value['trouble']) ?? '',
    died_again: r.number(value['died_again']),
  };
}

export function readDeadLetterOperationsView(value: unknown): DeadLetterOperationsView | null {
  if (!r.isFields(value)) return null;
  const items = r.list(value['items'], readDeadLetterOperationView);
  if (items === null) return null;
  const kept = r.number(value['kept']);
  if (kept === null) return null;
  return { items, kept };
}

export function readDeadLetterView(value: unknown): DeadLetterView | null {
  if (!r.isFields(value)) return null;
  const dead_letter_id = r.string(value['dead_letter_id']);
  if (dead_letter_id === null) return null;
  const reason = r.string(value['reason']);
  if (reason === null) return null;
  const size = r.number(value['size']);
  if (size === null) return null;
  const deaths = r.list(value['deaths'], readDeathView);
  if (deaths === null) return null;
  return {
    dead_letter_id,
    reason,
    error: r.string(value['error']),
    origin: r.string(value['origin']),
    node_id: r.string(value['node_id']),
    time: r.number(value['time']),
    attempts: r.number(value['attempts']),
    camera_id: r.string(value['camera_id']),
    frame_id: r.string(value['frame_id']),
    timestamp: r.number(value['timestamp']),
    content_type: r.string(value['content_type']),
    size,
    deaths,
    sender: r.string(value['sender']),
  };
}

export function readDeadLettersView(value: unknown): DeadLettersView | null {
  if (!r.isFields(value)) return null;
  const total = r.number(value['total']);
  if (total === null) return null;
  const matching = r.number(value['matching']);
  if (matching === null) return null;
  const complete = r.boolean(value['complete']);
  if (complete === null) return null;
  const time = r.number(value['time']);
  if (time === null) return null;
  const items = r.list(value['items'], readDeadLetterView);
  if (items === null) return null;
  return { total, matching, complete, time, next: r.string(value['next']), items };
}

export function readDeathView(value: unknown): DeathView | null {
  if (!r.isFields(value)) return null;
  const queue = r.string(value['queue']);
  if (queue === null) return null;
  const reason = r.string(value['reason']);
  if (reason === null) return null;
  const count = r.number(value['count']);
  if (count === null) return null;
  return { queue, reason, count, time: r.number(value['time']) };
}

export function readDesiredModelsView(value: unknown): DesiredModelsView | null {
  if (!r.isFields(value)) return null;
  const revision = r.number(value['revision']);
  if (revision === null) return null;
  const lanes = r.record(value['lanes'], r.string);
  if (lanes === null) return null;
  const cameras = r.record(value['cameras'], r.string);
  if (cameras === null) return null;
  return { revision, cluster: r.string(value['cluster']), lanes, cameras };
}

export function readDetectedObject(value: unknown): DetectedObject | null {
  if (!r.isFields(value)) return null;
  const x = r.number(value['x']);
  if (x === null) return null;
  const y = r.number(value['y']);
  if (y === null) return null;
  const w = r.positive(value['w']);
  if (w === null) return null;
  const h = r.positive(value['h']);
  if (h === null) return null;
  return {
    x,
    y,
    w,
    h,
    confidence: r.number(value['confidence']),
    label: r.text(value['label']) ?? 'face',
    landmarks: r.list(value['landmarks'], r.pair) ?? [],
  };
}

export function readDetectionView(value: unknown): DetectionView | null {
  if (!r.isFields(value)) return null;
  const x = r.number(value['x']);
  if (x === null) return null;
  const y = r.number(value['y']);
  if (y === null) return null;
  const w = r.number(value['w']);
  if (w === null) return null;
  const h = r.number(value['h']);
  if (h === null) return null;
  const confidence = r.number(value['confidence']);
  if (confidence === null) return null;
  const label = r.string(value['label']);
  if (label === null) return null;
  const landmarks = r.list(value['landmarks'], (item: unknown) => r.list(item, r.number));
  if (landmarks === null) return null;
  return { x, y, w, h, confidence, label, landmarks };
}

export function readDeviceCountsView(value: unknown): DeviceCountsView | null {
  if (!r.isFields(value)) return null;
  const all = r.number(value['all']);
  if (all === null) return null;
  const ios = r.number(value['ios']);
  if (ios === null) return null;
  const android = r.number(value['android']);
  if (android === null) return null;
  const web_pc = r.number(value['web_pc']);
  if (web_pc === null) return null;
  const web_mobile = r.number(value['web_mobile']);
  if (web_mobile === null) return null;
  const other = r.number(value['other']);
  if (other === null) return null;
  const bot = r.number(value['bot']);
  if (bot === null) return null;
  return { all, ios, android, web_pc, web_mobile, other, bot };
}

export function readDrainView(value: unknown): DrainView | null {
  if (!r.isFields(value)) return null;
  const since = r.number(value['since']);
  if (since === null) return null;
  return { since, by: r.string(value['by']) };
}

export function readEventCountView(value: unknown): EventCountView | null {
  if (!r.isFields(value)) return null;
  const count = r.number(value['count']);
  if (count === null) return null;
  const newest = r.number(value['newest']);
  if (newest === null) return null;
  return { count, newest };
}

export function readEventFrameView(value: unknown): EventFrameView | null {
  if (!r.isFields(value)) return null;
  const frame_id = r.string(value['frame_id']);
  if (frame_id === null) return null;
  const time = r.number(value['time']);
  if (time === null) return null;
  const width = r.number(value['width']);
  if (width === null) return null;
  const height = r.number(value['height']);
  if (height === null) return null;
  const model = r.string(value['model']);
  if (model === null) return null;
  const detections = r.list(value['detections'], readDetectionView);
  if (detections === null) return null;
  return { frame_id, time, width, height, model, detections };
}

export function readEventView(value: unknown): EventView | null {
  if (!r.isFields(value)) return null;
  const event_id = r.number(value['event_id']);
  if (event_id === null) return null;
  const camera_id = r.string(value['camera_id']);
  if (camera_id === null) return null;
  const start = r.number(value['start']);
  if (start === null) return null;
  const end = r.number(value['end']);
  if (end === null) return null;
  const open = r.boolean(value['open']);
  if (open === null) return null;
  const frames = r.number(value['frames']);
  if (frames === null) return null;
  const faces = r.number(value['faces']);
  if (faces === null) return null;
  const confidence = r.number(value['confidence']);
  if (confidence === null) return null;
  const model = r.string(value['model']);
  if (model === null) return null;
  return {
    event_id,
    camera_id,
    name: r.string(value['name']),
    group: r.string(value['group']),
    start,
    end,
    open,
    frames,
    faces,
    confidence,
    model,
    thumbnail: r.string(value['thumbnail']),
    picture: r.string(value['picture']),
    frame: readEventFrameView(value['frame']),
    seen_at: r.number(value['seen_at']),
    seen_by: r.string(value['seen_by']),
    feedback: r.one(value['feedback'], ['wrong', 'missed']),
    note: r.string(value['note']),
    feedback_at: r.number(value['feedback_at']),
    feedback_by: r.string(value['feedback_by']),
    description: r.string(value['description']),
    description_model: r.string(value['description_model']),
  };
}

export function readEventsSeenView(value: unknown): EventsSeenView | null {
  if (!r.isFields(value)) return null;
  const marked = r.number(value['marked']);
  if (marked === null) return null;
  const left = r.number(value['left']);
  if (left === null) return null;
  return { marked, left };
}

export function readEventsView(value: unknown): EventsView | null {
  if (!r.isFields(value)) return null;
  const items = r.list(value['items'], readEventView);
  if (items === null) return null;
  return { items, next: r.string(value['next']) };
}

export function readGatewayView(value: unknown): GatewayView | null {
  if (!r.isFields(value)) return null;
  const gateway_id = r.string(value['gateway_id']);
  if (gateway_id === null) return null;
  const own = r.boolean(value['own']);
  if (own === null) return null;
  const state = r.one(value['state'], ['running', 'lost', 'unknown']);
  if (state === null) return null;
  const last_seen = r.number(value['last_seen']);
  if (last_seen === null) return null;
  const host = r.string(value['host']);
  if (host === null) return null;
  const missing = r.list(value['missing'], r.string);
  if (missing === null) return null;
  return {
    gateway_id,
    own,
    state,
    since: r.number(value['since']),
    last_seen,
    version: r.string(value['version']),
    host,
    memory: r.number(value['memory']),
    missing,
  };
}

export function readGoneCamera(value: unknown): GoneCamera | null {
  if (!r.isFields(value)) return null;
  const camera_id = r.text(value['camera_id']);
  if (camera_id === null) return null;
  const gone = r.one(value['gone'], [true]);
  if (gone === null) return null;
  return { camera_id, gone };
}

export function readHelloMessage(value: unknown): HelloMessage | null {
  if (!r.isFields(value)) return null;
  const time = r.number(value['time']);
  if (time === null) return null;
  return { time, staleness: r.positive(value['staleness']) ?? 2, version: r.text(value['version']) ?? '' };
}

export function readHistoryView(value: unknown): HistoryView | null {
  if (!r.isFields(value)) return null;
  const step = r.number(value['step']);
  if (step === null) return null;
  const source = r.one(value['source'], ['prometheus', 'gateway']);
  if (source === null) return null;
  const series = r.record(value['series'], (item: unknown) => r.list(item, r.point));
  if (series === null) return null;
  const queries = r.record(value['queries'], r.string);
  if (queries === null) return null;
  return { step, source, series, queries };
}

export function readHopView(value: unknown): HopView | null {
  if (!r.isFields(value)) return null;
  const hop = r.one(value['hop'], ['captured', 'queued', 'computed', 'recorded', 'expired', 'dead_letter']);
  if (hop === null) return null;
  return {
    hop,
    time: r.number(value['time']),
    seconds: r.number(value['seconds']),
    node_id: r.string(value['node_id']),
    detail: r.string(value['detail']),
  };
}

export function readJobFailureView(value: unknown): JobFailureView | null {
  if (!r.isFields(value)) return null;
  const reason = r.string(value['reason']);
  if (reason === null) return null;
  const count = r.number(value['count']);
  if (count === null) return null;
  const what_to_do = r.string(value['what_to_do']);
  if (what_to_do === null) return null;
  return { reason, count, what_to_do };
}

export function readJobFramesView(value: unknown): JobFramesView | null {
  if (!r.isFields(value)) return null;
  const decoded = r.number(value['decoded']);
  if (decoded === null) return null;
  const skipped = r.number(value['skipped']);
  if (skipped === null) return null;
  const reused = r.number(value['reused']);
  if (reused === null) return null;
  const computed = r.number(value['computed']);
  if (computed === null) return null;
  return { decoded, skipped, reused, computed };
}

export function readJobItemView(value: unknown): JobItemView | null {
  if (!r.isFields(value)) return null;
  const number = r.number(value['number']);
  if (number === null) return null;
  const name = r.string(value['name']);
  if (name === null) return null;
  const kind = r.one(value['kind'], ['picture', 'video']);
  if (kind === null) return null;
  const state = r.one(value['state'], ['waiting', 'sent', 'ok', 'failed']);
  if (state === null) return null;
  const detections = r.number(value['detections']);
  if (detections === null) return null;
  return {
    number,
    name,
    kind,
    state,
    reason: r.string(value['reason']),
    error: r.string(value['error']),
    detections,
    seconds: r.number(value['seconds']),
    size: r.number(value['size']),
  };
}

export function readJobItemsView(value: unknown): JobItemsView | null {
  if (!r.isFields(value)) return null;
  const items = r.list(value['items'], readJobItemView);
  if (items === null) return null;
  return { items, next: r.string(value['next']) };
}

export function readJobLatencyView(value: unknown): JobLatencyView | null {
  if (!r.isFields(value)) return null;

  return { p50: r.number(value['p50']), p95: r.number(value['p95']), p99: r.number(value['p99']) };
}

export function readJobSettingsView(value: unknown): JobSettingsView | null {
  if (!r.isFields(value)) return null;
  const every = r.number(value['every']);
  if (every === null) return null;
  const windows = r.one(value['windows'], ['fixed', 'scene']);
  if (windows === null) return null;
  const skip = r.boolean(value['skip']);
  if (skip === null) return null;
  const lane = r.one(value['lane'], ['batch']);
  if (lane === null) return null;
  return { every, windows, skip, lane };
}

export function readJobTimelineView(value: unknown): JobTimelineView | null {
  if (!r.isFields(value)) return null;
  const number = r.number(value['number']);
  if (number === null) return null;
  const name = r.string(value['name']);
  if (name === null) return null;
  const state = r.one(value['state'], ['waiting', 'sent', 'ok', 'failed']);
  if (state === null) return null;
  const seconds = r.number(value['seconds']);
  if (seconds === null) return null;
  const presences = r.list(value['presences'], readPresenceView);
  if (presences === null) return null;
  const windows = r.list(value['windows'], readWindowView);
  if (windows === null) return null;
  const skipped = r.list(value['skipped'], readSkippedView);
  if (skipped === null) return null;
  const pictures = r.list(value['pictures'], r.number);
  if (pictures === null) return null;
  return { number, name, state, seconds, presences, windows, skipped, pictures };
}

export function readJobUploadsView(value: unknown): JobUploadsView | null {
  if (!r.isFields(value)) return null;
  const uploads = r.list(value['uploads'], readUploadView);
  if (uploads === null) return null;
  return { uploads, next: r.string(value['next']) };
}

export function readJobView(value: unknown): JobView | null {
  if (!r.isFields(value)) return null;
  const job_id = r.string(value['job_id']);
  if (job_id === null) return null;
  const name = r.string(value['name']);
  if (name === null) return null;
  const state = r.one(value['state'], [
    'uploading',
    'running',
    'paused',
    'done',
    'cancelled',
    'failed',
    'lost',
  ]);
  if (state === null) return null;
  const complete = r.boolean(value['complete']);
  if (complete === null) return null;
  const settings = readJobSettingsView(value['settings']);
  if (settings === null) return null;
  const created = r.number(value['created']);
  if (created === null) return null;
  const items = r.number(value['items']);
  if (items === null) return null;
  const ok = r.number(value['ok']);
  if (ok === null) return null;
  const failed = r.number(value['failed']);
  if (failed === null) return null;
  const retried = r.number(value['retried']);
  if (retried === null) return null;
  const rate = r.number(value['rate']);
  if (rate === null) return null;
  const bytes = r.number(value['bytes']);
  if (bytes === null) return null;
  const files = r.number(value['files']);
  if (files === null) return null;
  const videos = r.number(value['videos']);
  if (videos === null) return null;
  const frames = readJobFramesView(value['frames']);
  if (frames === null) return null;
  const failures = r.list(value['failures'], readJobFailureView);
  if (failures === null) return null;
  const latency = readJobLatencyView(value['latency']);
  if (latency === null) return null;
  const uploads = r.list(value['uploads'], readUploadView);
  if (uploads === null) return null;
  return {
    job_id,
    name,
    state,
    note: r.string(value['note']),
    complete,
    settings,
    created,
    started: r.number(value['started']),
    ended: r.number(value['ended']),
    by: r.string(value['by']),
    items,
    ok,
    failed,
    retried,
    rate,
    eta_seconds: r.number(value['eta_seconds']),
    bytes,
    files,
    videos,
    frames,
    failures,
    latency,
    uploads,
  };
}

export function readJobsView(value: unknown): JobsView | null {
  if (!r.isFields(value)) return null;
  const items = r.list(value['items'], readJobView);
  if (items === null) return null;
  return { items, next: r.string(value['next']) };
}

export function readLatencyView(value: unknown): LatencyView | null {
  if (!r.isFields(value)) return null;

  return { p50: r.number(value['p50']), p95: r.number(value['p95']), p99: r.number(value['p99']) };
}

export function readLetterHeaderView(value: unknown): LetterHeaderView | null {
  if (!r.isFields(value)) return null;
  const name = r.string(value['name']);
  if (name === null) return null;
  const text = r.string(value['text']);
  if (text === null) return null;
  return { name, text };
}

export function readLetterPictureView(value: unknown): LetterPictureView | null {
  if (!r.isFields(value)) return null;
  const width = r.number(value['width']);
  if (width === null) return null;
  const height = r.number(value['height']);
  if (height === null) return null;
  const size = r.number(value['size']);
  if (size === null) return null;
  const content_type = r.string(value['content_type']);
  if (content_type === null) return null;
  const damage = r.string(value['damage']);
  if (damage === null) return null;
  return { width, height, size, content_type, damage };
}

export function readLinkView(value: unknown): LinkView | null {
  if (!r.isFields(value)) return null;
  const link = r.string(value['link']);
  if (link === null) return null;
  const expires = r.number(value['expires']);
  if (expires === null) return null;
  return { link, expires };
}

export function readMetricsView(value: unknown): MetricsView | null {
  if (!r.isFields(value)) return null;
  const latency = readLatencyView(value['latency']);
  if (latency === null) return null;
  const failedByReason = r.record(value['failedByReason'], r.number);
  if (failedByReason === null) return null;
  const nodes = r.list(value['nodes'], readNodeFiguresView);
  if (nodes === null) return null;
  const workers = r.number(value['workers']);
  if (workers === null) return null;
  const starting = r.boolean(value['starting']);
  if (starting === null) return null;
  const source = readSourcesView(value['source']);
  if (source === null) return null;
  const time = r.number(value['time']);
  if (time === null) return null;
  const objectives = readObjectivesView(value['objectives']);
  if (objectives === null) return null;
  return {
    processingRate: r.number(value['processingRate']),
    avgLatency: r.number(value['avgLatency']),
    queueDepth: r.number(value['queueDepth']),
    latency,
    notComputed: r.number(value['notComputed']),
    errors: r.number(value['errors']),
    failedByReason,
    nodes,
    workers,
    starting,
    source,
    time,
    objectives,
    notices: r.list(value['notices'], r.string) ?? [],
    canary: r.string(value['canary']),
    prometheus: readPrometheusStateView(value['prometheus']),
  };
}

export function readModelCostView(value: unknown): ModelCostView | null {
  if (!r.isFields(value)) return null;
  const model = r.string(value['model']);
  if (model === null) return null;
  const seconds = r.number(value['seconds']);
  if (seconds === null) return null;
  const frames = r.number(value['frames']);
  if (frames === null) return null;
  return { model, seconds, frames };
}

export function readModelSwitchView(value: unknown): ModelSwitchView | null {
  if (!r.isFields(value)) return null;
  const time = r.number(value['time']);
  if (time === null) return null;
  return {
    lane: r.string(value['lane']),
    camera: r.string(value['camera']),
    before: r.string(value['before']),
    after: r.string(value['after']),
    time,
  };
}

export function readModelView(value: unknown): ModelView | null {
  if (!r.isFields(value)) return null;
  const name = r.string(value['name']);
  if (name === null) return null;
  const task = r.string(value['task']);
  if (task === null) return null;
  const digests = r.list(value['digests'], r.string);
  if (digests === null) return null;
  const conflict = r.boolean(value['conflict']);
  if (conflict === null) return null;
  const states = r.record(value['states'], r.string);
  if (states === null) return null;
  const errors = r.record(value['errors'], r.string);
  if (errors === null) return null;
  return {
    name,
    task,
    licence: r.string(value['licence']),
    size: r.number(value['size']),
    benchmark: readBenchmarkView(value['benchmark']),
    digests,
    conflict,
    states,
    errors,
  };
}

export function readModelsView(value: unknown): ModelsView | null {
  if (!r.isFields(value)) return null;
  const models = r.list(value['models'], readModelView);
  if (models === null) return null;
  const desired = readDesiredModelsView(value['desired']);
  if (desired === null) return null;
  const nodes = r.list(value['nodes'], readNodeModelsView);
  if (nodes === null) return null;
  const costs = r.list(value['costs'], readModelCostView);
  if (costs === null) return null;
  return { models, desired, nodes, costs, last: readModelSwitchView(value['last']) };
}

export function readNodeFiguresView(value: unknown): NodeFiguresView | null {
  if (!r.isFields(value)) return null;
  const node_id = r.string(value['node_id']);
  if (node_id === null) return null;
  return { node_id, fps: r.number(value['fps']), busy: r.number(value['busy']), p95: r.number(value['p95']) };
}

export function readNodeModelsView(value: unknown): NodeModelsView | null {
  if (!r.isFields(value)) return null;
  const node_id = r.string(value['node_id']);
  if (node_id === null) return null;
  const state = r.one(value['state'], ['running', 'draining', 'drained', 'lost', 'unknown']);
  if (state === null) return null;
  const lane = r.string(value['lane']);
  if (lane === null) return null;
  const model = r.string(value['model']);
  if (model === null) return null;
  const settled = r.boolean(value['settled']);
  if (settled === null) return null;
  return {
    node_id,
    state,
    lane,
    model,
    wanted: r.string(value['wanted']),
    settled,
    todo: r.string(value['todo']),
  };
}

export function readNodeView(value: unknown): NodeView | null {
  if (!r.isFields(value)) return null;
  const node_id = r.text(value['node_id']);
  if (node_id === null) return null;
  const state = r.one(value['state'], ['drained', 'draining', 'lost', 'running', 'unknown']);
  if (state === null) return null;
  return {
    node_id,
    state,
    lane: r.text(value['lane']),
    model: r.text(value['model']),
    detector: r.text(value['detector']),
    fallback: r.text(value['fallback']),
    fps: r.number(value['fps']),
    busy: r.number(value['busy']),
    since: r.number(value['since']),
    last_seen: r.number(value['last_seen']),
    desired: r.number(value['desired']) ?? 0,
    model_error: r.text(value['model_error']),
    settled: r.boolean(value['settled']) ?? true,
    drain: readDrainView(value['drain']),
  };
}

export function readNodesView(value: unknown): NodesView | null {
  if (!r.isFields(value)) return null;
  const items = r.list(value['items'], readWorkerView);
  if (items === null) return null;
  const producers = r.list(value['producers'], readProducerView);
  if (producers === null) return null;
  const gateways = r.list(value['gateways'], readGatewayView);
  if (gateways === null) return null;
  const absent = r.list(value['absent'], readAbsentDrainView);
  if (absent === null) return null;
  return { items, expected: r.number(value['expected']), producers, gateways, absent };
}

export function readObjectivesView(value: unknown): ObjectivesView | null {
  if (!r.isFields(value)) return null;

  return {
    latencyP95: r.number(value['latencyP95']) ?? 0.5,
    queueDepth: r.number(value['queueDepth']) ?? 300,
    notComputed: r.number(value['notComputed']) ?? 0.01,
    errors: r.number(value['errors']) ?? 0,
  };
}

export function readPresenceView(value: unknown): PresenceView | null {
  if (!r.isFields(value)) return null;
  const time = r.number(value['time']);
  if (time === null) return null;
  const until = r.number(value['until']);
  if (until === null) return null;
  const faces = r.number(value['faces']);
  if (faces === null) return null;
  const confidence = r.number(value['confidence']);
  if (confidence === null) return null;
  const best_time = r.number(value['best_time']);
  if (best_time === null) return null;
  return { time, until, faces, confidence, best_time };
}

export function readProblemView(value: unknown): ProblemView | null {
  if (!r.isFields(value)) return null;
  const error = r.text(value['error']);
  if (error === null) return null;
  return { error };
}

export function readProducerView(value: unknown): ProducerView | null {
  if (!r.isFields(value)) return null;
  const producer_id = r.string(value['producer_id']);
  if (producer_id === null) return null;
  const state = r.one(value['state'], ['running', 'lost', 'unknown']);
  if (state === null) return null;
  const cameras = r.number(value['cameras']);
  if (cameras === null) return null;
  const outstanding = r.number(value['outstanding']);
  if (outstanding === null) return null;
  const window = r.number(value['window']);
  if (window === null) return null;
  const since = r.number(value['since']);
  if (since === null) return null;
  const last_seen = r.number(value['last_seen']);
  if (last_seen === null) return null;
  const version = r.string(value['version']);
  if (version === null) return null;
  const host = r.string(value['host']);
  if (host === null) return null;
  return {
    producer_id,
    state,
    cameras,
    fps: r.number(value['fps']),
    outstanding,
    window,
    since,
    last_seen,
    version,
    host,
    memory: r.number(value['memory']),
  };
}

export function readPrometheusStateView(value: unknown): PrometheusStateView | null {
  if (!r.isFields(value)) return null;

  return { error: r.string(value['error']), since: r.number(value['since']) };
}

export function readQueueView(value: unknown): QueueView | null {
  if (!r.isFields(value)) return null;
  const name = r.string(value['name']);
  if (name === null) return null;
  const purpose = r.one(value['purpose'], ['lane', 'sender', 'retry', 'results', 'dead_letters']);
  if (purpose === null) return null;
  const oldest_at_least = r.boolean(value['oldest_at_least']);
  if (oldest_at_least === null) return null;
  const unknown = r.string(value['unknown']);
  if (unknown === null) return null;
  return {
    name,
    purpose,
    lane: r.string(value['lane']),
    sender: r.string(value['sender']),
    messages: r.number(value['messages']),
    limit: r.number(value['limit']),
    size_limit: r.number(value['size_limit']),
    consumers: r.number(value['consumers']),
    oldest: r.number(value['oldest']),
    oldest_at_least,
    rate_in: r.number(value['rate_in']),
    rate_out: r.number(value['rate_out']),
    down: r.string(value['down']),
    unknown,
  };
}

export function readQueuesView(value: unknown): QueuesView | null {
  if (!r.isFields(value)) return null;
  const items = r.list(value['items'], readQueueView);
  if (items === null) return null;
  const window = r.number(value['window']);
  if (window === null) return null;
  const time = r.number(value['time']);
  if (time === null) return null;
  return { items, window, time };
}

export function readReferenceView(value: unknown): ReferenceView | null {
  if (!r.isFields(value)) return null;
  const name = r.string(value['name']);
  if (name === null) return null;
  const href = r.string(value['href']);
  if (href === null) return null;
  return { name, href };
}

export function readRemainderView(value: unknown): RemainderView | null {
  if (!r.isFields(value)) return null;
  const workers = r.number(value['workers']);
  if (workers === null) return null;
  const load = r.number(value['load']);
  if (load === null) return null;
  return { workers, capacity: r.number(value['capacity']), load };
}

export function readRemoteView(value: unknown): RemoteView | null {
  if (!r.isFields(value)) return null;
  const state = r.one(value['state'], ['absent', 'open', 'held', 'paused']);
  if (state === null) return null;
  const reason = r.string(value['reason']);
  if (reason === null) return null;
  const workers = r.list(value['workers'], readRemoteWorkerView);
  if (workers === null) return null;
  const warned = r.boolean(value['warned']);
  if (warned === null) return null;
  const warning = r.string(value['warning']);
  if (warning === null) return null;
  const raised = r.record(value['raised'], r.number);
  if (raised === null) return null;
  return {
    state,
    reason,
    waiting: r.number(value['waiting']),
    workers,
    day: readSpentView(value['day']),
    month: readSpentView(value['month']),
    warned,
    warning,
    raised,
  };
}

export function readRemoteWorkerView(value: unknown): RemoteWorkerView | null {
  if (!r.isFields(value)) return null;
  const node_id = r.string(value['node_id']);
  if (node_id === null) return null;
  const endpoint = r.string(value['endpoint']);
  if (endpoint === null) return null;
  const model = r.string(value['model']);
  if (model === null) return null;
  const state = r.one(value['state'], ['open', 'waiting', 'held']);
  if (state === null) return null;
  const held_by = r.string(value['held_by']);
  if (held_by === null) return null;
  const reason = r.string(value['reason']);
  if (reason === null) return null;
  const concurrency = r.number(value['concurrency']);
  if (concurrency === null) return null;
  const calls = r.number(value['calls']);
  if (calls === null) return null;
  const errors = r.number(value['errors']);
  if (errors === null) return null;
  const frame_most = r.number(value['frame_most']);
  if (frame_most === null) return null;
  return {
    node_id,
    endpoint,
    model,
    state,
    held_by,
    reason,
    concurrency,
    calls,
    errors,
    frame_most,
    prices_changed: r.number(value['prices_changed']),
  };
}

export function readResult(value: unknown): Result | null {
  if (!r.isFields(value)) return null;
  const original_timestamp = r.number(value['original_timestamp']);
  if (original_timestamp === null) return null;
  const camera_id = r.text(value['camera_id']);
  if (camera_id === null) return null;
  return {
    timestamp: r.number(value['timestamp']) ?? 0,
    original_timestamp,
    node_id: r.text(value['node_id']) ?? '',
    detections: r.list(value['detections'], readDetectedObject) ?? [],
    camera_id,
    frame_id: r.text(value['frame_id']) ?? '',
    width: r.positive(value['width']),
    height: r.positive(value['height']),
    model: r.text(value['model']),
    recipe: r.text(value['recipe']),
    description: r.text(value['description']),
    cost: r.number(value['cost']),
    motion: r.number(value['motion']),
  };
}

export function readRunbookView(value: unknown): RunbookView | null {
  if (!r.isFields(value)) return null;
  const name = r.string(value['name']);
  if (name === null) return null;
  const text = r.string(value['text']);
  if (text === null) return null;
  return { name, text };
}

export function readServiceObjectiveView(value: unknown): ServiceObjectiveView | null {
  if (!r.isFields(value)) return null;
  const name = r.string(value['name']);
  if (name === null) return null;
  const objective = r.number(value['objective']);
  if (objective === null) return null;
  const window_days = r.number(value['window_days']);
  if (window_days === null) return null;
  const known_seconds = r.number(value['known_seconds']);
  if (known_seconds === null) return null;
  return {
    name,
    objective,
    window_days,
    known_seconds,
    sli: r.number(value['sli']),
    error_budget_remaining: r.number(value['error_budget_remaining']),
    burn_rate: r.number(value['burn_rate']),
  };
}

export function readServiceObjectivesView(value: unknown): ServiceObjectivesView | null {
  if (!r.isFields(value)) return null;
  const items = r.list(value['items'], readServiceObjectiveView);
  if (items === null) return null;
  const source = r.one(value['source'], ['prometheus', 'none']);
  if (source === null) return null;
  return { items, source, error: r.string(value['error']) };
}

export function readSessionView(value: unknown): SessionView | null {
  if (!r.isFields(value)) return null;
  const role = r.one(value['role'], ['viewer', 'operator']);
  if (role === null) return null;
  const version = r.string(value['version']);
  if (version === null) return null;
  return {
    role,
    name: r.string(value['name']),
    expires: r.number(value['expires']),
    version,
    launcher: r.one(value['launcher'], ['native', 'compose']),
  };
}

export function readSilenceView(value: unknown): SilenceView | null {
  if (!r.isFields(value)) return null;
  const id = r.string(value['id']);
  if (id === null) return null;
  const matchers = r.list(value['matchers'], r.string);
  if (matchers === null) return null;
  const comment = r.string(value['comment']);
  if (comment === null) return null;
  const created_by = r.string(value['created_by']);
  if (created_by === null) return null;
  return {
    id,
    matchers,
    comment,
    created_by,
    starts: r.number(value['starts']),
    ends: r.number(value['ends']),
  };
}

export function readSkippedView(value: unknown): SkippedView | null {
  if (!r.isFields(value)) return null;
  const time = r.number(value['time']);
  if (time === null) return null;
  const until = r.number(value['until']);
  if (until === null) return null;
  return { time, until };
}

export function readSourcesView(value: unknown): SourcesView | null {
  if (!r.isFields(value)) return null;
  const processingRate = r.one(value['processingRate'], ['prometheus', 'gateway']);
  if (processingRate === null) return null;
  const avgLatency = r.one(value['avgLatency'], ['prometheus', 'gateway']);
  if (avgLatency === null) return null;
  const queueDepth = r.one(value['queueDepth'], ['prometheus', 'gateway']);
  if (queueDepth === null) return null;
  const latency = r.one(value['latency'], ['prometheus', 'gateway']);
  if (latency === null) return null;
  const notComputed = r.one(value['notComputed'], ['prometheus', 'gateway']);
  if (notComputed === null) return null;
  const errors = r.one(value['errors'], ['prometheus', 'gateway']);
  if (errors === null) return null;
  const nodes = r.one(value['nodes'], ['prometheus', 'gateway']);
  if (nodes === null) return null;
  return { processingRate, avgLatency, queueDepth, latency, notComputed, errors, nodes };
}

export function readSpentView(value: unknown): SpentView | null {
  if (!r.isFields(value)) return null;
  const period = r.string(value['period']);
  if (period === null) return null;
  const spent = r.number(value['spent']);
  if (spent === null) return null;
  const uncertain = r.number(value['uncertain']);
  if (uncertain === null) return null;
  const reserved = r.number(value['reserved']);
  if (reserved === null) return null;
  const calls = r.number(value['calls']);
  if (calls === null) return null;
  const frames = r.number(value['frames']);
  if (frames === null) return null;
  return { period, spent, uncertain, reserved, limit: r.number(value['limit']), calls, frames };
}

export function readStateChangeView(value: unknown): StateChangeView | null {
  if (!r.isFields(value)) return null;
  const time = r.number(value['time']);
  if (time === null) return null;
  const state = r.one(value['state'], [
    'connecting',
    'live',
    'degraded',
    'stalled',
    'offline',
    'disabled',
    'quiet',
    'unknown',
    'removed',
    'forgotten',
  ]);
  if (state === null) return null;
  return { time, state, reason: r.string(value['reason']), producer_id: r.string(value['producer_id']) };
}

export function readStateChangesView(value: unknown): StateChangesView | null {
  if (!r.isFields(value)) return null;
  const items = r.list(value['items'], readStateChangeView);
  if (items === null) return null;
  const more = r.boolean(value['more']);
  if (more === null) return null;
  return { items, more };
}

export function readStatusView(value: unknown): StatusView | null {
  if (!r.isFields(value)) return null;
  const status = r.text(value['status']);
  if (status === null) return null;
  return {
    status,
    missing: r.list(value['missing'], r.text) ?? [],
    notes: r.list(value['notes'], r.text) ?? [],
  };
}

export function readUploadView(value: unknown): UploadView | null {
  if (!r.isFields(value)) return null;
  const upload_id = r.string(value['upload_id']);
  if (upload_id === null) return null;
  const name = r.string(value['name']);
  if (name === null) return null;
  const size = r.number(value['size']);
  if (size === null) return null;
  const offset = r.number(value['offset']);
  if (offset === null) return null;
  const state = r.one(value['state'], ['receiving', 'complete']);
  if (state === null) return null;
  return { upload_id, name, size, offset, state, note: r.string(value['note']) };
}

export function readWhyView(value: unknown): WhyView | null {
  if (!r.isFields(value)) return null;
  const frame_id = r.string(value['frame_id']);
  if (frame_id === null) return null;
  const verdict = r.one(value['verdict'], [
    'computed',
    'expired',
    'dead_lettered',
    'retried_waiting',
    'repeated',
    'unknown',
  ]);
  if (verdict === null) return null;
  const words = r.string(value['words']);
  if (words === null) return null;
  const hops = r.list(value['hops'], readHopView);
  if (hops === null) return null;
  const witnesses = r.list(value['witnesses'], readWitnessView);
  if (witnesses === null) return null;
  const links = r.list(value['links'], readReferenceView);
  if (links === null) return null;
  return {
    frame_id,
    camera_id: r.string(value['camera_id']),
    verdict,
    words,
    reason: r.string(value['reason']),
    remedy: r.string(value['remedy']),
    hops,
    witnesses,
    links,
  };
}

export function readWindowView(value: unknown): WindowView | null {
  if (!r.isFields(value)) return null;
  const number = r.number(value['number']);
  if (number === null) return null;
  const time = r.number(value['time']);
  if (time === null) return null;
  const until = r.number(value['until']);
  if (until === null) return null;
  const samples = r.number(value['samples']);
  if (samples === null) return null;
  const analysed = r.number(value['analysed']);
  if (analysed === null) return null;
  return { number, time, until, samples, analysed };
}

export function readWithheldMessage(value: unknown): WithheldMessage | null {
  if (!r.isFields(value)) return null;

  return { crowded: r.list(value['crowded'], r.text) ?? [] };
}

export function readWitnessView(value: unknown): WitnessView | null {
  if (!r.isFields(value)) return null;
  const place = r.one(value['place'], ['history', 'dead_letters', 'camera', 'queues', 'metrics', 'logs']);
  if (place === null) return null;
  const state = r.one(value['state'], ['found', 'nothing', 'unavailable', 'not_asked']);
  if (state === null) return null;
  const words = r.string(value['words']);
  if (words === null) return null;
  return { place, state, words };
}

export function readWorkerView(value: unknown): WorkerView | null {
  if (!r.isFields(value)) return null;
  const node_id = r.string(value['node_id']);
  if (node_id === null) return null;
  const state = r.one(value['state'], ['running', 'draining', 'drained', 'lost', 'unknown']);
  if (state === null) return null;
  const lane = r.string(value['lane']);
  if (lane === null) return null;
  const model = r.string(value['model']);
  if (model === null) return null;
  const detector = r.string(value['detector']);
  if (detector === null) return null;
  const fps = r.number(value['fps']);
  if (fps === null) return null;
  const busy = r.number(value['busy']);
  if (busy === null) return null;
  const since = r.number(value['since']);
  if (since === null) return null;
  const last_seen = r.number(value['last_seen']);
  if (last_seen === null) return null;
  const version = r.string(value['version']);
  if (version === null) return null;
  const host = r.string(value['host']);
  if (host === null) return null;
  const lacks = r.list(value['lacks'], r.string);
  if (lacks === null) return null;
  const without = readRemainderView(value['without']);
  if (without === null) return null;
  return {
    node_id,
    state,
    lane,
    model,
    detector,
    fallback: r.string(value['fallback']),
    fps,
    busy,
    since,
    last_seen,
    model_error: r.string(value['model_error']),
    drain: readDrainView(value['drain']),
    version,
    host,
    memory: r.number(value['memory']),
    p95: r.number(value['p95']),
    lacks,
    without,
  };
}
