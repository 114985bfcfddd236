"""Our clients of a real Redis: bounded when it is frozen or gone, back when it is, and each failure in a sentence."""

import socket
import time
from pathlib import Path

import pytest

from cli.ports import free_port
from runtime.redis import FAILURES, asynchronous, plain, sentence
from tests.helpers.certificates import make_certificates
from tests.helpers.redis import Tls, private_redis


async def said_by(url: str, *command: str) -> str:
    """The sentence about what both clients raise: they must agree."""
    client, threaded = asynchronous(url, seconds=2), plain(url, seconds=2)
    try:
        with pytest.raises(FAILURES) as raised:
            await client.execute_command(*command)
        with pytest.raises(FAILURES) as also:
            threaded.execute_command(*command)
    finally:
        await client.aclose()
        threaded.close()
    assert sentence(raised.value, url) == sentence(also.value, url)
    return sentence(raised.value, url)


async def test_what_one_client_sets_the_other_reads(redis_url: str) -> None:
    client, threaded = asynchronous(redis_url), plain(redis_url)
    await client.set("key", "value", ex=60)
    assert threaded.get("key") == b"value"
    threaded.close()
    await client.aclose()


async def test_a_frozen_one_costs_its_bound_and_works_again_afterwards() -> None:
    with private_redis() as server:
        client = asynchronous(server.url, seconds=0.3)
        await client.set("key", "value")
        with server.frozen() as begun:
            assert "does not answer in time" in await said_by(server.url, "GET", "key")
            assert time.monotonic() - begun < 5
        assert await client.get("key") == b"value"
        await client.aclose()


async def test_one_that_was_restarted_is_used_again_without_a_failure() -> None:
    with private_redis() as server:
        client, threaded = asynchronous(server.url), plain(server.url)
        await client.set("key", "value")
        threaded.ping()
        server.stop()
        assert "cannot be reached" in await said_by(server.url, "GET", "key")
        server.start()
        assert await client.get("key") == b"value"
        assert threaded.get("key") == b"value"
        threaded.close()
        await client.aclose()


async def test_a_password_that_is_missing_or_wrong() -> None:
    with private_redis(password="hunter2") as server:
        for url in (server.url.replace(":hunter2@", ""), server.url.replace("hunter2", "guess")):
            said = await said_by(url, "PING")
            assert "put the right password" in said
            assert "guess" not in said
        client = asynchronous(server.url)
        assert await client.ping()
        await client.aclose()


async def test_tls_trusted_not_trusted_and_not_spoken(tmp_path: Path) -> None:
    authority = make_certificates(tmp_path).authority
    tls = Tls(tmp_path / "good.pem", tmp_path / "good.key", authority)
    with private_redis(tls=tls, password="hunter2") as server:
        client, threaded = asynchronous(server.url), plain(server.url)
        assert await client.ping()
        assert threaded.ping()
        threaded.close()
        await client.aclose()
        bare = server.url.partition("?")[0]
        assert "ssl_ca_certs=FILE" in await said_by(bare, "PING")
        assert "try rediss://" in await said_by(bare.replace("rediss", "redis"), "PING")


async def test_an_address_with_tls_for_one_without(redis_url: str) -> None:
    assert "(then: redis://)" in await said_by(redis_url.replace("redis://", "rediss://"), "PING")


async def test_a_key_of_the_wrong_type_and_a_full_one() -> None:
    with private_redis() as server:
        with server.client() as client:
            client.set("key", "text")
            client.config_set("maxmemory", 1)
        assert "raise its maxmemory" in await said_by(server.url, "SET", "other", "text")
        with server.client() as client:
            client.config_set("maxmemory", 0)
        assert "a database of our own" in await said_by(server.url, "PFADD", "key", "one")


async def test_nobody_listens_and_somebody_who_says_nothing() -> None:
    assert "cannot be reached" in await said_by(f"redis://127.0.0.1:{free_port()}/0", "PING")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert "does not answer in time" in await said_by(f"redis://127.0.0.1:{port}/0", "PING")
