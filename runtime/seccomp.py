"""Seccomp: a process gives up, for good, system calls that it has no business with (seccomp(2)).

By libseccomp, which knows the numbers of each architecture, and which apt itself needs on Debian and Ubuntu.
"""

import ctypes
import errno
import os
import socket

LIBRARY = "libseccomp.so.2"
ALLOW, REFUSE = 0x7FFF0000, 0x00050000  # REFUSE with an errno in its lower half
WITH_ALL_THREADS = 4  # SCMP_FLTATR_CTL_TSYNC
NOT_EQUAL, EQUAL, GREATER, MASKED_EQUAL = 1, 4, 6, 7
FIRST_WITH_THREADS = 2  # the level of libseccomp's interface

CLONE_THREAD = 0x10000
NETWORKS = (socket.AF_INET, socket.AF_INET6)

REFUSED = (
    # other programs and processes
    *(
        "execve",
        "execveat",
        "fork",
        "vfork",
        "ptrace",
        "process_vm_readv",
        "process_vm_writev",
        "process_madvise",
    ),
    *("kcmp", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"),
    *("pidfd_open", "pidfd_getfd", "pidfd_send_signal"),
    # what Landlock does not ask about: whose a file is, and what it is good for
    *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat"),
    *("setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr"),
    *("utime", "utimes", "utimensat", "futimesat", "open_by_handle_at", "name_to_handle_at"),
    # another view of the machine
    *(
        "mount",
        "umount2",
        "move_mount",
        "open_tree",
        "fsopen",
        "fsconfig",
        "fsmount",
        "fspick",
        "mount_setattr",
    ),
    *("pivot_root", "chroot", "unshare", "setns"),
    # large and rarely visited parts of the kernel
    *("bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register"),
    *("keyctl", "add_key", "request_key", "kexec_load", "kexec_file_load", "fanotify_init", "vmsplice"),
    *("init_module", "finit_module", "delete_module", "personality", "modify_ldt", "acct", "quotactl"),
    *("swapon", "swapoff", "reboot", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex"),
    # connections from elsewhere
    *("listen", "accept", "accept4"),
)


class _Argument(ctypes.Structure):
    """struct scmp_arg_cmp: what an argument of a system call is compared with."""

    _fields_ = (
        ("number", ctypes.c_uint),
        ("comparison", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


def available() -> bool:
    """Whether the library is here, and the kernel knows filters that hold for all threads of a process."""
    try:
        return int(ctypes.CDLL(LIBRARY).seccomp_api_get()) >= FIRST_WITH_THREADS
    except (OSError, AttributeError):
        return False


def refuse_calls(*, network: bool) -> None:
    """Refuse this process, with all its threads, what is in REFUSED, new processes, and signals to others.

    `network`: whether it may make sockets, which are of the internet then and never of this machine. Raises OSError.
    """
    library = _library()
    rules = library.seccomp_init(ALLOW)
    if not rules:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    try:
        _check(library.seccomp_attr_set(rules, WITH_ALL_THREADS, 1))
        for name in REFUSED:
            _refuse(library, rules, name)
        _refuse(library, rules, "clone", (MASKED_EQUAL, CLONE_THREAD, 0))
        # Its flags are in memory, where no filter looks; the C library then takes the one above.
        _refuse(library, rules, "clone3", error=errno.ENOSYS)
        for name in ("kill", "tgkill"):
            _refuse(library, rules, name, (NOT_EQUAL, os.getpid(), 0))
        _refuse(library, rules, "prlimit64", (NOT_EQUAL, 0, 0))
        if not network:
            _refuse(library, rules, "socket")
        else:
            _refuse(library, rules, "socket", (GREATER, max(NETWORKS), 0))
            for family in set(range(max(NETWORKS))) - set(NETWORKS):
                _refuse(library, rules, "socket", (EQUAL, family, 0))
        _check(library.seccomp_load(rules))
    finally:
        library.seccomp_release(rules)


def _refuse(
    library: ctypes.CDLL,
    rules: int,
    name: str,
    where: tuple[int, int, int] | None = None,
    *,
    error: int = errno.EPERM,
) -> None:
    """Refuse a call, everywhere or where its first argument is so; a name that the library does not know yet is not."""
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number < 0:  # not on this architecture, or newer than the library
        return
    conditions = (_Argument(0, *where),) if where else ()
    array = (_Argument * len(conditions))(*conditions)
    _check(library.seccomp_rule_add_array(rules, REFUSE | error, number, len(conditions), array))


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(LIBRARY)
    rules = ctypes.c_void_p
    library.seccomp_init.argtypes, library.seccomp_init.restype = [ctypes.c_uint32], rules
    library.seccomp_attr_set.argtypes = [rules, ctypes.c_int, ctypes.c_uint32]
    library.seccomp_rule_add_array.argtypes = [
        rules, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(_Argument),
    ]  # fmt: skip
    library.seccomp_load.argtypes = [rules]
    library.seccomp_release.argtypes, library.seccomp_release.restype = [rules], None
    return library


def _check(answer: int) -> None:
    if answer < 0:
        raise OSError(-answer, os.strerror(-answer))
