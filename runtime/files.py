"""The number of connections that the operating system lets this process have."""

import resource

ENOUGH = 65_536
RESERVE = 128
"""Files for all that is not a connection of a camera or a viewer: the broker's, the history's, probes, pipes, what is
accepted only to be refused."""
LEAST = 16


def allow_many_files() -> int:
    """Raise this process's own limit of open files as far as it may, up to ENOUGH. Returns what it is now.

    A kept connection is an open file, and many systems start programs with 1,024 (the soft limit, which select(2)
    needs; the hard limit is what is meant). https://0pointer.net/blog/file-descriptor-limits.html
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return ENOUGH if soft == resource.RLIM_INFINITY else soft


def connections(files: int) -> int:
    """The connections that a process may hold which may have so many files open."""
    return max(LEAST, files - RESERVE)
