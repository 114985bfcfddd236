"""What this machine says to itself goes through no proxy."""

import pytest

from runtime.loopback import direct


@pytest.mark.parametrize(
    ("given", "excepted"),
    [
        ({}, "127.0.0.1,localhost,::1"),
        ({"no_proxy": "lan"}, "lan,127.0.0.1,localhost,::1"),
        ({"NO_PROXY": "lan,wan"}, "lan,wan,127.0.0.1,localhost,::1"),
        ({"no_proxy": "", "NO_PROXY": "wan"}, "wan,127.0.0.1,localhost,::1"),
    ],
)
def test_what_is_excepted_already_stays(given: dict[str, str], excepted: str) -> None:
    assert direct(given | {"http_proxy": "p"}) == given | {"http_proxy": "p", "no_proxy": excepted}
