"""What to do about a file that is not YAML: the parser names the place in words of its own. Pure."""

UTF8 = "save the file as UTF-8"
TAB = "there is a tab: YAML is indented with spaces"
INDENT = "is it indented as the lines around it?"
EMPTY = "nothing is in it: the file begins with `cameras:` and a list of cameras"
_RESERVED = frozenset("@`%&*!|>")


def remedy(problem: str, line: str) -> str:
    """The advice for the parser's `problem` in that `line` of the file; empty where there is none."""
    if "\t" in line[: len(line) - len(line.lstrip())] or line.lstrip(" -").startswith("\t"):
        return TAB
    if "cannot start any token" in problem:
        _, _, value = line.partition(": ")
        begins = value.strip()[:1]
        return f"a value that begins with {begins} is written in quotes" if begins in _RESERVED else TAB
    if "mapping values are not allowed" in problem:
        return f"a value with a colon and a space in it is written in quotes; else {INDENT}"
    if "unexpected end of stream" in problem:
        return "a quotation mark or a bracket is not closed"
    if "expected key" in problem or "expected '-' indicator" in problem or "block end" in problem:
        return INDENT
    return ""
