"""`python -m tests.house.subject FILE`: a hook of git that refuses a commit whose subject is too long."""

import sys
from pathlib import Path

LONGEST = 71
BY_GIT = ("Merge ", "Revert ", "fixup! ", "squash! ")


def complaint(message: str) -> str | None:
    """What is wrong with a commit's message, or None."""
    lines = [line for line in message.splitlines() if not line.startswith("#")]
    subject = lines[0].strip() if lines else ""
    if not subject:
        return "the subject is empty: say what is different after this commit"
    if subject.startswith(BY_GIT):
        return None
    if len(subject) > LONGEST:
        return f"the subject has {len(subject)} characters, {LONGEST} are allowed; the rest belongs below a blank line"
    if len(lines) > 1 and lines[1].strip():
        return "a blank line belongs between the subject and the rest"
    return None


if __name__ == "__main__":
    sys.exit(complaint(Path(sys.argv[1]).read_text()))
