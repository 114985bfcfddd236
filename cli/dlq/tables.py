"""Dead letters as text."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from cli.console import size, table
from contract.dead_letters import DeadLetter

COLUMNS = ("ID", "DIED", "REASON", "TRIED", "CAMERA", "FROM", "SIZE", "ERROR")


def listing(letters: Sequence[DeadLetter], now: float) -> str:
    """Return a table of dead letters, one to a line; with their senders if any has one."""
    rows = [_row(letter, now) for letter in letters]
    if not any(letter.sender for letter in letters):
        return table(COLUMNS, rows)
    named = [(*row[:4], letter.sender or "-", *row[4:]) for row, letter in zip(rows, letters, strict=True)]
    return table((*COLUMNS[:4], "SENDER", *COLUMNS[4:]), named)


def details(letter: DeadLetter) -> list[str]:
    """Return everything that is known of a dead letter, a line for each thing."""
    lines = [
        f"id            {letter.dead_letter_id}",
        f"reason        {letter.reason}",
        f"error         {plain(letter.error or '-')}",
        f"died          {date(letter.time)}",
        f"from          {plain(letter.origin or '-')}",
        f"tried         {'-' if letter.attempts is None else letter.attempts}",
        f"node          {plain(letter.node_id or '-')}",
        f"sender        {letter.sender or '-'}",
        f"camera        {plain(letter.camera_id or '-')}",
        f"frame         {plain(letter.frame_id or '-')}",
        f"captured      {date(letter.timestamp)}",
        f"content type  {plain(letter.content_type or '-')}",
        f"size          {letter.size:,} bytes",
    ]
    lines += [
        f"RabbitMQ      {plain(death.reason)}: from {plain(death.queue)}, {death.count} times, {date(death.time)}"
        for death in letter.deaths
    ]
    return lines


def counts(names: Iterable[str], most: int | None = None) -> str:
    """Count `names` (or take a Counter of them): `not_an_image 12, crashed 1`, the most frequent first."""
    counted = Counter(names)
    told = [f"{plain(name)} {count:,}" for name, count in counted.most_common(most)]
    return ", ".join([*told, "…"] if len(told) < len(counted) else told)


def date(moment: float | None) -> str:
    """Return a moment in UTC, to the second."""
    if moment is None:
        return "-"
    try:
        return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return str(moment)


def ago(moment: float | None, now: float) -> str:
    """Return how long ago a moment was: `3m`, `2h`, `5d`."""
    if moment is None:
        return "-"
    seconds = max(0, round(now - moment))
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def plain(text: str) -> str:
    """Return text from a message without anything that a terminal would obey."""
    return "".join(character if character.isprintable() else "�" for character in text)


def _row(letter: DeadLetter, now: float) -> tuple[str, ...]:
    return (
        letter.dead_letter_id,
        ago(letter.time, now),
        plain(letter.reason),
        "-" if letter.attempts is None else str(letter.attempts),
        plain(letter.camera_id or "-"),
        plain(letter.origin or "-"),
        size(letter.size),
        plain(letter.error or ""),
    )
