"""Confines a process that works on what strangers made: their streams, their pictures, their models.

It is started with an environment that holds no secret (`bare`), and gives up its rights itself (`confine`) once it has
loaded what it needs and before it looks at anything. What a kernel or a machine does not offer is done without, and
`lacking` names that.
"""

import ctypes
import encodings.idna  # noqa: F401 - Python imports it at the first name of a host: too late, once it is confined
import os
import pwd
import resource
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runtime import landlock, seccomp

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("contract", "broker", "runtime", "batch", "producer", "worker")

# Names that a program needs to run as it does elsewhere on this machine.
KEPT = frozenset({"PATH", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH", "LD_PRELOAD", "GLIBC_TUNABLES"})
KEPT |= {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "SSL_CERT_FILE", "SSL_CERT_DIR"}
KEPT_PREFIXES = ("LC_", "MALLOC_", "OPENCV_")
PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy"})  # and in capitals

# /etc is whole since files in it are replaced (resolv.conf): what is secret there only its owner may read.
READABLE = ("/usr", "/lib", "/lib64", "/etc", "/proc", "/sys/devices/system", "/dev/random", "/dev/urandom")

NOBODY = "nobody"
FILES = 1024
# -1000 to 1000, see proc(5): if memory runs out, the kernel ends this process before all our others.
OOM_SCORE_ADJ = 500
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38  # prctl(2)

REMEDIES = {
    "landlock": "this kernel offers none (Linux 5.13 and newer, with `landlock` in its parameter lsm=): what this user "
    "may read can be read",
    "seccomp": f"there is no {seccomp.LIBRARY}: install the package libseccomp2",
    "user": "there is no user `nobody` to become instead of root: start the service as an ordinary user",
}
"""The parts of a confinement that a machine may not offer, and what to do."""

_prctl = ctypes.CDLL(None, use_errno=True).prctl


def bare(environment: Mapping[str, str], *, network: bool) -> dict[str, str]:
    """What a confined program gets of an environment: no setting and no secret; proxies if it uses the `network`."""
    kept = {
        name: value
        for name, value in environment.items()
        if name in KEPT or name.startswith(KEPT_PREFIXES) or (network and name.lower() in PROXIES)
    }
    # The packages that we are, wherever it starts, and one thread: Landlock binds the one that asks for it.
    ours = {"PYTHONPATH": os.pathsep.join([str(ROOT), *_given_path(environment)]), "PYTHONSAFEPATH": "1"}
    if network:
        from runtime.loopback import direct  # more than a confined process itself needs

        kept = direct(kept)  # FFmpeg heeds proxies
    return kept | ours | {"OPENBLAS_NUM_THREADS": "1"}


def lacking() -> list[str]:
    """The names in REMEDIES of what a confined process has to do without here."""
    there = {
        "landlock": landlock.version() > 0,
        "seccomp": seccomp.available(),
        "user": os.geteuid() != 0 or _nobody() is not None,
    }
    return [name for name, is_there in there.items() if not is_there]


def report_lacking(log: Any) -> list[str]:
    """Warn of what is `lacking`, in one line; returns it."""
    absent = lacking()
    if absent:
        log.warning("confinement is not whole", **{name: REMEDIES[name] for name in absent})
    return absent


def confine(*, memory: int, network: bool, seconds: int | None = None) -> list[str]:
    """Give up what this process does not need, for good. Returns what failed although it is not `lacking`.

    Afterwards it can read code, libraries, /etc and /proc as far as permissions allow, and no other file; write none;
    start no process; signal none, and look into none; open sockets of the internet if it may use the `network`, and
    no others. Allocating more than `memory` bytes fails, more than `seconds` of processor time end it, and so does its
    parent's end. Started by root it becomes `nobody`. Call it with all modules loaded, before threads start.
    """
    parent, absent = os.getppid(), lacking()
    _write("/proc/self/oom_score_adj", str(OOM_SCORE_ADJ))
    # Memory that is written to, not addresses: those a thread's stack and the allocator reserve by the gigabyte.
    _limit(resource.RLIMIT_DATA, memory)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, FILES)
    if seconds is not None:
        _limit(resource.RLIMIT_CPU, seconds, seconds + 1)  # first the signal that says why
    never_more_privileges()
    failed = []
    for name, step in (
        ("user", _become_nobody),
        ("process", _keep_to_itself),  # becoming another user would undo it
        ("landlock", lambda: landlock.read_only(_readable(), connect=network)),
        ("seccomp", lambda: seccomp.refuse_calls(network=network)),
    ):
        try:
            if name not in absent:
                step()
        except OSError as error:
            failed.append(f"{name}: {error.strerror or error}")
    if os.getppid() != parent:
        os._exit(0)  # it ended before it could take us along
    return failed


def never_more_privileges() -> None:
    """Nothing that this process starts can have more rights than it, whatever its file says (sudo, ping)."""
    _prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _readable() -> list[Path]:
    """Code, libraries, and what looking up a host and trusting its certificate need."""
    # The folder of our packages may be that of the whole system, with its tokens.
    code = [ROOT / package for package in PACKAGES]
    code += [path for entry in sys.path if not ROOT.is_relative_to(path := Path(entry).resolve())]
    resolver = Path("/etc/resolv.conf").resolve().parent
    named = [os.environ.get(name, "") for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "LD_LIBRARY_PATH")]
    given = [Path(part) for value in named for part in value.split(os.pathsep) if part]
    return [*code, Path(sys.prefix), Path(sys.base_prefix), *map(Path, READABLE), resolver, *given]


def _become_nobody() -> None:
    nobody = _nobody()
    if os.geteuid() == 0 and nobody is not None:
        os.setgroups([])
        os.setresgid(nobody.pw_gid, nobody.pw_gid, nobody.pw_gid)
        os.setresuid(nobody.pw_uid, nobody.pw_uid, nobody.pw_uid)


def _keep_to_itself() -> None:
    """It ends with its parent, and no other process of its user looks into it."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def _nobody() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(NOBODY)
    except KeyError:
        return None


def _limit(kind: int, soft: int, hard: int | None = None) -> None:
    """Lower a limit; where the machine has a lower one, that stays."""
    _, given = resource.getrlimit(kind)
    most = hard or soft
    if given != resource.RLIM_INFINITY:
        soft, most = min(soft, given), min(most, given)
    resource.setrlimit(kind, (soft, most))


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text)
    except OSError:
        return


def _given_path(environment: Mapping[str, str]) -> list[str]:
    return [each for each in environment.get("PYTHONPATH", "").split(os.pathsep) if each]
