"""Addresses whose password is not percent-encoded are refused, and nothing of them is said."""

import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.urls import flaw

SPECIAL = "/@:#?% \t\n\\[]"


@pytest.mark.parametrize(
    "url",
    [
        "amqp://host",
        "amqp://host:5672/",
        "amqp://user:pass@host:5672/%2F",
        "amqp://user:p%40ss%2Fword@[::1]:5672/vh?heartbeat=5",
        "postgresql://user@host/name?sslmode=require",
        "http://prometheus:9090",
        "https://host/fleet",
        "amqp://ü:ß@host/",
    ],
)
def test_clear_ones_are_fine(url: str) -> None:
    assert flaw(url) is None


@pytest.mark.parametrize(
    "password",
    [
        "p@ss",
        "p/ss",
        "p#ss",
        "p?ss",
        "p:ss",
        "p%ss",
        "p%4",
        "p ss",
        "12/ss",
        "12#ss",
        "12?ss",
        "p\nss",
        "p@s/s",
        "[x",
        "p#",
    ],
)
def test_a_password_that_is_not_encoded_is_refused_in_every_address(password: str) -> None:
    for form in ("amqp://u:{}@host:5672/vh", "postgresql://u:{}@host/name", "http://u:{}@host:9090"):
        said = flaw(form.format(password))
        assert said is not None, (form, password)
        assert "%40" in said
        assert password not in said


@given(st.text(alphabet=st.sampled_from("abc123" + SPECIAL), max_size=12))
def test_encoded_every_password_is_clear_and_else_none_is_misread(password: str) -> None:
    assert flaw(f"amqp://user:{quote(password, safe='')}@host:5672/vh") is None
    if flaw(f"amqp://user:{password}@host:5672/vh") is None:
        assert re.fullmatch(r"(?:[abc123\\]|%[0-9a-f]{2})*", password)
