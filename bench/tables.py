"""Tables in Markdown, as docs/benchmarks.md keeps them."""

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table: first the heads, then a line per row."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def percent(share: float) -> str:
    """A share of 1 as whole per cent."""
    return f"{100 * share:.0f} %"
