"""How many connections the operating system lets this process have."""

import resource

ENOUGH = 65_536


def allow_many_files() -> None:
    """Raise this process's own limit of open files as far as it may, up to ENOUGH.

    A kept connection is an open file, and many systems start programs with 1,024 (the soft limit, which select(2)
    needs; the hard limit is what is meant). https://0pointer.net/blog/file-descriptor-limits.html
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
