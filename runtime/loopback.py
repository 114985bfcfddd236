"""Reaches what listens on this machine past the proxies that the environment names (`http_proxy`, ...).

A proxy cannot reach our own loopback addresses, and what we say there (tokens) is none of its business.
"""

import urllib.request
from collections.abc import Mapping

OURS = ("127.0.0.1", "localhost", "::1")

open_directly = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
"""`urllib.request.urlopen` without proxies."""


def direct(environment: Mapping[str, str]) -> dict[str, str]:
    """Copy an environment for a program that heeds proxies, with this machine excepted from them."""
    excepted = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    return {**environment, "no_proxy": ",".join([*filter(None, [excepted]), *OURS])}
