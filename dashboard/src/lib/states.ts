/** What people read for the states, roles and reasons that the gateway names in keys. */

import type { AlertState } from './alerts';
import type { AlertRuleView, SessionView, StateChangeView } from './contract.gen';
import type { CameraState, NodeState } from './protocol';

// @wc-include
export const CAMERA_STATE_WORDS: Record<CameraState, string> = {
  live: 'live',
  degraded: 'degraded',
  stalled: 'stalled',
  offline: 'offline',
  connecting: 'connecting',
  disabled: 'disabled',
  quiet: 'quiet',
  unknown: 'unknown',
};

// @wc-include
const PAST_STATE_WORDS = { removed: 'removed', forgotten: 'forgotten' };

/** States that the history has: also those of cameras that are no longer there. */
export const LOGGED_STATE_WORDS: Record<StateChangeView['state'], string> = {
  ...CAMERA_STATE_WORDS,
  ...PAST_STATE_WORDS,
};

// @wc-include
export const NODE_STATE_WORDS: Record<NodeState, string> = {
  running: 'running',
  draining: 'draining',
  drained: 'drained',
  lost: 'lost',
  unknown: 'unknown',
};

// @wc-include
export const ALERT_STATE_WORDS: Record<AlertState | AlertRuleView['state'], string> = {
  firing: 'firing',
  pending: 'pending',
  silenced: 'silenced',
  inactive: 'inactive',
  unknown: 'unknown',
};

// @wc-include
export const ROLE_WORDS: Record<SessionView['role'], string> = {
  viewer: 'viewer',
  operator: 'operator',
};

// @wc-include
const SEVERITIES: Record<string, string> = {
  critical: 'critical',
  warning: 'warning',
  info: 'info',
};

export const severityWords = (severity: string): string =>
  severity === '' ? 'no severity' : (SEVERITIES[severity] ?? severity);

// @wc-include
export const FAILURE_WORDS: Record<string, string> = {
  empty: 'empty message',
  not_json: 'not JSON',
  invalid_task: 'invalid task',
  not_base64: 'not Base64',
  not_an_image: 'not an image',
  too_large: 'too large',
  too_many_pixels: 'too many pixels',
  not_allowed: 'not allowed',
  unknown_model: 'unknown model',
  detector_error: 'detector error',
  worker_error: 'worker error',
  crashed: 'crashed',
  remote_error: 'remote model failed',
  remote_refused: 'refused by the remote model',
  stale: 'stale',
  unknown: 'unknown',
  // RabbitMQ's own.
  expired: 'expired',
  rejected: 'rejected',
  maxlen: 'queue full',
  delivery_limit: 'delivered too often',
  // Of frames that a producer drops.
  replaced: 'replaced by a newer frame',
  handed_over: 'handed over',
  queue_full: 'queue full',
  unroutable: 'no queue for it',
  timeout: 'no confirmation in time',
};

/** Why a frame failed; a reason that this version does not know, as it is. */
export const failureWords = (reason: string): string => FAILURE_WORDS[reason] ?? reason.replaceAll('_', ' ');
