"""Which hosts a camera may lead to, and whose certificate is trusted."""

import socket

import pytest

from producer.errors import OffLimits, SourceError
from producer.reach import Reach, check_names, guarded_socket, is_local, parse_host
from producer.trust import Trust, parse_tls, strictest

CAMERA = Reach("cam.example", 443)


@pytest.mark.parametrize(
    ("reach", "host", "port", "allowed"),
    [
        (CAMERA, "cam.example", 443, True),
        (CAMERA, "CAM.example.", 8443, True),  # another port of its own host
        (CAMERA, "evil.example", 443, False),
        (CAMERA, "cam.example.evil.example", 443, False),
        (CAMERA, "127.0.0.1", 443, False),
        (CAMERA, "169.254.169.254", 80, False),
        (Reach("127.0.0.1", 80), "127.0.0.1", 80, True),
        (Reach("127.0.0.1", 80), "127.0.0.1", 15672, False),  # another service of this machine
        (Reach("127.0.0.1", 80), "localhost", 80, False),
        (Reach("127.0.0.1", 80, ("127.0.0.1:81",)), "127.0.0.1", 81, True),
        (Reach("127.0.0.1", 80, ("127.0.0.1:81",)), "127.0.0.1", 82, False),
        (Reach("c", 80, ("cdn.example",)), "cdn.example", 8443, True),
        (Reach("c", 80, ("cdn.example",)), "a.cdn.example", 443, False),
        (Reach("c", 80, ("*.cdn.example",)), "a.b.cdn.example", 443, True),
        (Reach("c", 80, ("*.cdn.example",)), "evilcdn.example", 443, False),
        (Reach("c", 80, ("[2001:db8::7]:8443",)), "2001:db8::7", 8443, True),
    ],
)
def test_where_a_camera_may_lead(reach: Reach, host: str, port: int, allowed: bool) -> None:
    assert reach.allows(host, port) is allowed


LOCAL = (
    "127.0.0.1 127.8.8.8 0.0.0.0 0.1.2.3 169.254.169.254 169.254.1.1 224.0.0.1 255.255.255.255 168.63.129.16 "
    "100.100.100.200 ::1 :: fe80::1 fe80::1%eth0 ::ffff:127.0.0.1 ::127.0.0.1 64:ff9b::7f00:1 fd00:ec2::254 ff02::1"
)


@pytest.mark.parametrize("address", LOCAL.split())
def test_this_machine_and_its_link_are_told_from_others(address: str) -> None:
    assert is_local(address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(OffLimits, match="write that address"):
        guarded_socket((family, socket.SOCK_STREAM, 6, "", (address, 80)))


@pytest.mark.parametrize(
    "address", ["10.0.0.7", "192.168.1.1", "8.8.8.8", "fd12::7", "2001:db8::1", "64:ff9b::a00:7", "cam"]
)
def test_other_addresses_are_none_of_it(address: str) -> None:
    assert not is_local(address)


def test_a_name_is_judged_by_what_it_stands_for(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.1.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(SourceError, match=r"address of this machine .* \(127\.0\.1\.1\)") as raised:
        check_names("rtsp://me:secret@cam.example/x", "cam.example")
    assert raised.value.reason == "elsewhere"
    check_names("rtsp://127.0.1.1/x", "it")  # it is named
    check_names("rtsp://localhost/x", "it")


@pytest.mark.parametrize("text", ["cdn.example", "CDN.example:8443", "*.cdn.example", "10.0.0.7", "[::1]:80"])
def test_hosts_that_can_be_allowed(text: str) -> None:
    assert parse_host(text) == text.lower()


@pytest.mark.parametrize(
    "text", ["", "*", "*.", "a*b", "http://a", "a/b", "a b", "me@a", "a:b", "a:", "a:0", "[::1"]
)
def test_texts_that_are_no_hosts(text: str) -> None:
    with pytest.raises(ValueError, match="not a host"):
        parse_host(text)


@pytest.mark.parametrize(
    ("text", "trust"),
    [
        ("verify", Trust()),
        ("Off", Trust(verify=False)),
        ("sha256:" + "ab" * 32, Trust(fingerprint=b"\xab" * 32)),
        (":".join(["AB"] * 32), Trust(fingerprint=b"\xab" * 32)),
    ],
)
def test_what_tls_says(text: str, trust: Trust) -> None:
    assert parse_tls(text) == trust


@pytest.mark.parametrize(
    ("text", "told"),
    [("pin", "write its fingerprint"), ("no", "none of verify, off and"), ("sha1:ab", "none of")],
)
def test_what_tls_cannot_say(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_tls(text)


def test_where_several_places_speak_the_strictest_holds() -> None:
    off, on, pinned = Trust(verify=False), Trust(), Trust(fingerprint=bytes(32))
    assert strictest([]) is None
    assert strictest([off]) == off
    assert strictest([off, on]) == on
    assert strictest([off, pinned, on]) == pinned
