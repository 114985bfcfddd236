"""The HTTP cameras' parts that need no server."""

import resource
from collections.abc import Iterator

import pytest

from producer.catalogue.grammar import HELP
from producer.settings import ProducerSettings
from producer.sources.http.places import RequestPlaces
from runtime import files
from runtime.files import allow_many_files


@pytest.fixture
def few_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_thousand_connections_need_more_files_than_most_systems_start_with(
    few_files: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow_many_files()
    allowed, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert allowed == files.ENOUGH or allowed == hard
    monkeypatch.setattr(files, "ENOUGH", 100)
    allow_many_files()
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == allowed, "it is never lowered"


async def test_places_of_hosts_without_cameras_are_forgotten() -> None:
    places = RequestPlaces(10, 2)
    first, second = places.at("http://a"), places.at("http://a")
    places.at("http://b")
    assert set(places._hosts) == {"http://a"}
    del first, second
    assert not places._hosts


async def test_in_all_there_are_as_many_places_as_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    places = RequestPlaces(2, 10)
    taken = [await places.at(host).take(doubtful=False) for host in ("a", "b")]
    monkeypatch.setattr("producer.sources.http.places.PATIENCE", 0.0)
    with pytest.raises(Exception, match="PRODUCER_HTTP_CONNECTIONS") as raised:
        await places.at("c").take(doubtful=False)
    assert getattr(raised.value, "reason", "") == "busy"
    taken[0].release()
    third = await places.at("c").take(doubtful=False)
    third.release()
    taken[1].release()
    again = [await places.at(host).take(doubtful=False) for host in ("a", "b")]
    assert len(again) == 2, "who waited in vain has given back what it had"


def test_the_settings_have_the_promised_defaults() -> None:
    fields = ProducerSettings.model_fields
    names = (
        "http_connections",
        "http_connections_per_host",
        "dns_cache_seconds",
        "timeout_seconds",
        "tls_verify",
    )
    assert [fields[name].default for name in names] == [500, 10, 300, 10, True]
    assert "MJPEG" in HELP
