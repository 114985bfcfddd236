/**
 * How the page reads what the gateway sends. The shapes are the contract's (contract/ in Python); what to make of a
 * value that is not quite of its shape is the reader's affair, and stands here.
 *
 * @typedef {object} Manner
 * @property {string[]} [needs] A value without one of these fields is dropped whole; other fields may be `null`.
 *   Where this is absent the shape is read strictly: every field is needed, unless it may be `null` anyway.
 * @property {Record<string, unknown>} [otherwise] What stands for a field that is missing or malformed.
 * @property {string[]} [positive] Numbers that mean something above 0 only.
 * @property {string[]} [unread] Fields that the page has no use for.
 */

/** Shapes that arrive; what they are made of comes along. */
export const READ = [
  ...[
    'HelloMessage',
    'Result',
    'CameraView',
    'CameraDetailView',
    'StateChangesView',
    'GoneCamera',
    'NodeView',
    'WithheldMessage',
  ],
  ...['ProblemView', 'StatusView', 'SessionView', 'LinkView', 'MetricsView', 'HistoryView', 'AlertsView'],
  ...['ServiceObjectivesView', 'AlertRulesView', 'RunbookView', 'AttendanceView'],
  ...['NodesView', 'ModelsView', 'EventsView', 'EventCountView', 'EventsSeenView', 'ActivityView', 'WhyView'],
  ...['QueuesView', 'DeadLettersView', 'DeadLetterGroupsView', 'DeadLetterDetailView'],
  ...['DeadLetterOperationsView', 'DeadLetterOperationView'],
  'RemoteView',
  ...['JobsView', 'ClientJobsView', 'JobView', 'JobItemsView', 'JobUploadsView', 'JobTimelineView'],
];

/** Shapes that the page sends: types only. */
export const WRITTEN = ['Subscribe', 'Painted'];

/** Lists of the values that a field can have. */
export const VALUES = { CONTENT_TYPES: 'PictureHead.content_type' };

/** Regular expressions that a text must match. */
export const PATTERNS = { CAMERA_ID: 'Subscribe.pictures' };

/**
 * The socket is read tolerantly: one odd field must not cost the camera, nor one odd result the stream.
 *
 * @type {Record<string, Manner>}
 */
export const MANNERS = {
  HelloMessage: { needs: ['time'], unread: ['type'] },
  WithheldMessage: { needs: ['crowded'], unread: ['type', 'unknown'] },
  Result: {
    needs: ['camera_id', 'original_timestamp'],
    otherwise: { frame_id: '', timestamp: 0, node_id: '' },
    positive: ['width', 'height'],
    unread: ['status', 'processing_seconds', 'queue_seconds', 'schema', 'hop', 'reason', 'sender'],
  },
  DetectedObject: {
    needs: ['x', 'y', 'w', 'h'],
    otherwise: { label: 'face' },
    positive: ['w', 'h'],
  },
  CameraView: { needs: ['camera_id', 'state'], positive: ['width', 'height'] },
  GoneCamera: { needs: ['camera_id', 'gone'] },
  NodeView: {
    needs: ['node_id', 'state'],
    otherwise: { desired: 0, settled: true },
    unread: ['prefetch', 'version', 'host', 'memory'],
  },
  WorkerView: { unread: ['prefetch', 'desired', 'settled'] },
  ProblemView: { needs: ['error'], unread: ['status', 'errorType'] },
  StatusView: { needs: ['status'] },
  MetricsView: { otherwise: { notices: [] } },
  ModelsView: { unread: ['settled', 'settled_nodes', 'running_nodes'] },
  ModelView: { unread: ['loaded'] },
  NodeModelsView: { unread: ['desired', 'model_error'] },
};
