"""Jittered exponential backoff."""

import random


def compute_backoff(
    attempt: int, *, base: float = 0.2, cap: float = 10.0, jitter: float | None = None
) -> float:
    """Seconds to wait before retry `attempt` (0 is the first): half fixed, half random, doubling up to `cap`.

    `jitter` in [0, 1) replaces the random part for tests. Half is kept fixed so that a client that is turned
    away at once never retries in a tight loop; half is random so that a thousand clients do not return together.
    """
    full = min(cap, base * 2.0 ** min(attempt, 32))
    share = random.random() if jitter is None else jitter  # noqa: S311 - spreads load, guards nothing
    return full / 2 + full / 2 * share
