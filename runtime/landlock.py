"""Landlock: a process gives up, for good and without privileges, all files but those that it names (landlock(7)).

glibc has no function for it. The numbers are the same on every architecture (linux/landlock.h).
"""

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
ASK_VERSION = 1
PATH_BENEATH = 1

WRITE_FILE, READ_FILE, READ_FOLDER = 1 << 1, 1 << 2, 1 << 3
# All that each version can withhold; what a version does not know yet is not withheld by it.
FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
TCP_BIND, TCP_CONNECT = 1 << 0, 1 << 1  # from version 4 on
SCOPES = 1 << 0 | 1 << 1  # abstract sockets of others, and signals to them: from version 6 on

SINK = Path("/dev/null")

_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long


def version() -> int:
    """The version that this kernel offers; 0 if it has none, or does not let us use it."""
    try:
        return _call(CREATE_RULESET, None, 0, ASK_VERSION)
    except OSError:
        return 0


def read_only(paths: Iterable[Path], *, connect: bool) -> None:
    """Let this thread, and what it starts, read what lies in `paths`, execute nothing, and write only to /dev/null.

    A path that does not exist, or that this user cannot reach, is left out. `connect`: whether it may open TCP
    connections; it may accept none. prctl(PR_SET_NO_NEW_PRIVS) must come before. Raises OSError.
    """
    offered = version()
    files = FILE_RIGHTS[max((each for each in FILE_RIGHTS if each <= offered), default=1)]
    network = 0 if offered < 4 else TCP_BIND | (0 if connect else TCP_CONNECT)
    fields = [files, *([network] if offered >= 4 else []), *([SCOPES] if offered >= 6 else [])]
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    rules = _call(CREATE_RULESET, attributes, len(attributes), 0)
    try:
        for path in paths:
            _allow(rules, path, READ_FILE | READ_FOLDER)
        _allow(rules, SINK, READ_FILE | WRITE_FILE)
        _call(RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)


def _allow(rules: int, path: Path, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= ~READ_FOLDER
        _call(ADD_RULE, rules, PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)


def _call(number: int, *arguments: int | bytes | None) -> int:
    given = [ctypes.c_long(each) if isinstance(each, int) else ctypes.c_char_p(each) for each in arguments]
    answer = int(_syscall(ctypes.c_long(number), *given))
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer
