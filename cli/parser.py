"""argparse that suggests the word that was meant, whether a sub-command, an option or a choice was misspelt."""

import argparse
import difflib
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn


class Parser(argparse.ArgumentParser):
    """A parser whose sub-parsers are of its own kind. Each of them complains itself of what it does not know."""

    def parse_known_args(  # type: ignore[override]  # of typeshed's overloads, the one that is used
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse `args`; what is left over is an error here, where the options that it may resemble are known."""
        parsed, unknown = super().parse_known_args(args, namespace or argparse.Namespace())
        if unknown:
            options = [option for action in self._actions for option in action.option_strings]
            # A word beside an unknown option is its value, most likely.
            guilty = [word for word in unknown if word.startswith("-")] or unknown
            self.error("; ".join(_unknown(word, options) for word in guilty))
        return parsed, []

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and where help is; exit with status 2."""
        self.exit(2, f"{self.prog}: {message}\n`{self.prog} --help` says what there is\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        choices = [str(choice) for choice in action.choices or ()]
        if choices and str(value) not in choices:
            close = nearest(str(value), choices)
            hint = f"did you mean {close}? Known are" if close else "known are"
            command = action.metavar == "COMMAND"
            said = (
                f"there is no command {str(value)!r}" if command else f"{str(value)!r} is none of its values"
            )
            raise argparse.ArgumentError(None if command else action, f"{said}: {hint} {', '.join(choices)}")


def whole_number(text: str) -> int:
    """The type of an option that takes a whole number. Raises ArgumentTypeError."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def number(text: str) -> float:
    """The type of an option that takes a number. Raises ArgumentTypeError."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The one of `known` that `word` was most likely meant to be, whatever its case; None if none is like it."""
    by_lower = {each.lower(): each for each in known}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[close[0]] if close else None


def _unknown(word: str, options: Sequence[str]) -> str:
    if not word.startswith("-"):
        # WORKERS=2 is how `make up` takes what is an option here.
        knob, equals, value = word.partition("=")
        option = nearest(f"--{knob.replace('_', '-')}", options) if equals else None
        return f"{word!r} is one word too many" + (f": did you mean {option} {value}?" if option else "")
    name = word.partition("=")[0]
    close = nearest(name, options)
    return f"there is no option {name}" + (f": did you mean {close}?" if close else "")
