"""What to do about each reason why an item of a job failed: a sentence for whoever sent it. Pure."""

from batch import reasons
from contract.failures import FailureReason

PICTURE = "Look at the file: it is damaged or of another format. Save it anew as JPEG or PNG."
VIDEO = "Play it: if it does not play, make it anew, or `ffmpeg -i FILE -c copy new.mp4` may mend it."
AGAIN = "Send it again in another job; if it fails again, please report it with the file."

REMEDIES = {
    FailureReason.NOT_AN_IMAGE: PICTURE,
    FailureReason.TOO_MANY_PIXELS: "Make the picture smaller, or raise WORKER_MAX_PIXELS.",
    FailureReason.TOO_LARGE: "Make it smaller, or a JPEG of lower quality: a picture may have 12 MiB.",
    FailureReason.DETECTOR_ERROR: AGAIN,
    FailureReason.WORKER_ERROR: AGAIN,
    FailureReason.CRASHED: "It ended every worker that computed it: please report it with the file.",
    FailureReason.UNKNOWN_MODEL: "The model that workers had is gone: see the page Models.",
    reasons.EMPTY: "The file has no bytes: send it again.",
    reasons.MISSING: "Its file is gone from the gateway's disk: send it again.",
    reasons.UNREADABLE: "The gateway's disk does not give it: see its log, and send it again.",
    reasons.NO_ROOM: "There is no room to unpack it: make room on the disk, and send it again.",
    reasons.REFUSED: "RabbitMQ does not take it: make it smaller.",
    reasons.NO_ANSWER: "No worker answered: see whether workers of the batch lane run, and send it again.",
    reasons.WITHDRAWN: "Its upload was cancelled or broke off: send it again if it is wanted.",
    reasons.VIDEO_CRASHED: "FFmpeg crashes at it. " + VIDEO,
    reasons.VIDEO_MEMORY: "It needs more memory than a video may take: make its pictures smaller.",
    reasons.VIDEO_STUCK: "FFmpeg hangs at it. " + VIDEO,
    "reader_failed": "A fault of Framefleet, or of a library: please report it, with the gateway's log and the file.",
    "not_a_video": VIDEO,
    "no_video": "It holds sound alone: there are no pictures to analyse.",
    "no_frames": "Not one picture of it could be decoded. " + VIDEO,
}


def what_to_do(reason: str) -> str:
    """The sentence for a reason."""
    return REMEDIES.get(reason, "Look at the items that failed for it: each says what was wrong.")
