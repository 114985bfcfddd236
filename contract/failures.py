"""The reasons why a frame was not computed, as they appear on dead letters and as metric labels."""

from enum import StrEnum


class FailureReason(StrEnum):
    """The reason of a dead letter, and the value of the label `reason` of `cv_frames_failed_total`."""

    EMPTY = "empty"  # the message has no body
    NOT_JSON = "not_json"
    INVALID_TASK = "invalid_task"  # not an object, a field missing, a wrong type or value
    NOT_BASE64 = "not_base64"
    NOT_AN_IMAGE = "not_an_image"  # neither JPEG nor PNG, or undecodable
    TOO_LARGE = "too_large"  # more bytes than MAX_BODY_BYTES
    TOO_MANY_PIXELS = "too_many_pixels"
    NOT_ALLOWED = "not_allowed"  # its sender may not: another model, one camera more, more than it was given
    UNKNOWN_MODEL = "unknown_model"  # the task names a model that no registry knows
    DETECTOR_ERROR = "detector_error"  # the detector raised
    WORKER_ERROR = "worker_error"  # the worker's own handling of it raised
    REMOTE_ERROR = "remote_error"  # the remote endpoint failed at every attempt, or its answers made no sense
    REMOTE_REFUSED = "remote_refused"  # the remote endpoint does not take this picture
    CRASHED = "crashed"  # the frame ended the process that computed it, or it never answered

    @property
    def transient(self) -> bool:
        """True if another attempt may succeed at once; the other reasons are the message's own fault, and final.

        So are those of the remote lane, whose worker has tried again already, for money.
        """
        return self in (FailureReason.DETECTOR_ERROR, FailureReason.WORKER_ERROR, FailureReason.CRASHED)


STALENESS_SECONDS = 2.0
"""The default staleness budget: the age up to which a live frame is worth computing."""


class ExpiryReason(StrEnum):
    """The reason why a live frame was not computed although nothing was wrong with it."""

    STALE = "stale"  # older than the staleness budget when a worker took it
