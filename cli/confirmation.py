"""The question that is asked before something is changed."""

import sys


def confirmed(question: str, *, yes: bool) -> bool:
    """Ask whether to go on; `--yes` answers for the operator."""
    if yes:
        return True
    if not sys.stdin.isatty():
        print(f"{question} Nobody can answer here: add --yes to go on. Nothing was changed.", file=sys.stderr)
        return False
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() in ("y", "yes"):
        return True
    print("Nothing was changed.", file=sys.stderr)
    return False
