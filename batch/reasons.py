"""Why an item failed before a worker saw it. What workers say is in contract.failures, and what else is wrong
with videos in batch.video.errors."""

MISSING = "missing"  # no such file
UNREADABLE = "unreadable"  # no rights, or the disk says no
NOT_A_FILE = "not_a_file"  # a pipe, a socket, a device
EMPTY = "empty"
TOO_LARGE = "too_large"
CORRUPT_ARCHIVE = "corrupt_archive"
ENCRYPTED = "encrypted"
NO_ROOM = "no_room"  # to unpack a video to
ARCHIVE_BOMB = "archive_bomb"
REFUSED = "refused"  # RabbitMQ does not take it as it is
VIDEO_CRASHED = "video_crashed"  # FFmpeg does, at this video
VIDEO_MEMORY = "video_memory"  # it needs more than a video may take
VIDEO_STUCK = "video_stuck"  # FFmpeg gives no sign of life
WITHDRAWN = "withdrawn"  # its upload was cancelled, or never finished
NO_ANSWER = "no_answer"  # sent several times, and no worker ever answered
