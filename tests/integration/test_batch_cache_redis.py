"""The level that machines share, against a real Redis that is frozen, restarted, misused and locked."""

import time
from collections.abc import Callable

from batch.cache.key import content_digest, key
from batch.cache.levels import CacheLevels
from batch.cache.results import levels, picture_findings
from runtime import redis
from runtime.redis_level import LEFT_ALONE, PREFIX, SECONDS, RemoteLevel, redis_level
from tests.helpers.media import jpeg
from tests.helpers.redis import private_redis
from tests.unit.test_batch_cache import FINDING

CONTENT = content_digest(jpeg())


def test_what_one_machine_found_another_knows_for_as_long_as_it_may(redis_url: str) -> None:
    one, other = levels(None, redis_url, ttl=60.0), levels(None, redis_url)
    picture_findings(one).store(CONTENT, "a", FINDING)
    assert picture_findings(other).lookup(CONTENT, "a") == FINDING
    assert picture_findings(other).lookup(CONTENT, "b") is None
    assert other.counts.known == {"redis": 1}
    with redis.plain(redis_url) as client:
        assert 50_000 < client.pttl(PREFIX + key(CONTENT, "a")) <= 60_000
        client.delete(PREFIX + key(CONTENT, "a"))
    one.close()
    other.close()


def test_somebody_elses_values_are_misses(redis_url: str) -> None:
    name = PREFIX + key(CONTENT, "a")
    with redis.plain(redis_url) as client:
        damages: tuple[Callable[[], object], ...] = (
            lambda: client.set(name, b"\xff" * 100),
            lambda: client.set(name, b'{"detections": 7}'),
            lambda: client.set(name, bytes(10_000_000)),
            lambda: client.lpush(name, b"a list"),
            lambda: client.hset(name, "a", "hash"),
        )
        for damage in damages:
            client.delete(name)
            damage()
            asked = levels(None, redis_url)
            assert picture_findings(asked).lookup(CONTENT, "a") is None
            assert asked.counts.hit_share == 0
            asked.close()
        picture_findings(remote := levels(None, redis_url)).store(CONTENT, "a", FINDING)
        remote.close()
        asked = levels(None, redis_url)
        # Put right by the next one who computes it.
        assert picture_findings(asked).lookup(CONTENT, "a") == FINDING
        asked.close()
        client.delete(name)


def test_a_frozen_one_costs_a_bounded_time_and_comes_back() -> None:
    with private_redis() as server:
        level = redis_level(server.url, 60.0)
        level.put(b"k", b"v")
        assert level.get(b"k") == b"v"
        with server.frozen():
            begun = time.monotonic()
            assert [level.get(b"k") for _ in range(500)] == [None] * 500
            assert time.monotonic() - begun < 10 * SECONDS + 1
            assert level.failed == 1
        moved = RemoteLevel(
            redis.plain(server.url),
            60.0,
            failures=redis.FAILURES,
            clock=lambda: time.monotonic() + LEFT_ALONE,
        )
        assert moved.get(b"k") == b"v"
        moved.close()
        level.close()


def test_one_that_was_restarted_is_used_again_without_a_failure() -> None:
    with private_redis() as server:
        level = redis_level(server.url, 60.0)
        level.put(b"k", b"v")
        server.stop()
        server.start()
        assert level.get(b"k") == b"v"
        assert level.failed == 0
        server.kill()
        both = CacheLevels([level])
        assert both.get(b"k", bytes) is None
        assert level.failed == 1
        level.close()


def test_a_password_is_used_and_a_wrong_one_is_only_a_miss() -> None:
    with private_redis(password="correct") as server:
        level = redis_level(server.url, 60.0)
        level.put(b"k", b"v")
        assert level.get(b"k") == b"v"
        level.close()
        wrong = redis_level(server.url.replace("correct", "wrong"), 60.0)
        assert wrong.get(b"k") is None
        assert wrong.failed == 1
        wrong.close()


def test_a_full_one_keeps_what_it_has() -> None:
    with private_redis("--maxmemory", "2mb", "--maxmemory-policy", "noeviction") as server:
        level = redis_level(server.url, 60.0)
        for n in range(200):
            level.put(b"%d" % n, bytes(50_000))
        assert level.failed >= 1
        level.close()
        assert redis_level(server.url, 60.0).get(b"0") == bytes(50_000)
