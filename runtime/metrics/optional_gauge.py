"""A gauge that is absent while there is nothing to tell, where 0 would be taken for a value."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


class OptionalGauge(Collector):
    """One series without labels, or none. `set` from any thread; what `ask_for` was given is asked at each scrape."""

    def __init__(self, name: str, documentation: str, registry: CollectorRegistry) -> None:
        self._name = name
        self._documentation = documentation
        self._read: Callable[[], float | None] = lambda: None
        registry.register(self)

    def set(self, value: float | None) -> None:
        """Tell this value from now on; None tells nothing."""
        self._read = lambda: value

    def ask_for(self, read: Callable[[], float | None]) -> None:
        """Tell what `read` returns at each scrape, in the scrape's thread."""
        self._read = read

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Name it without its value, so that a second metric of the same name is refused."""
        return [GaugeMetricFamily(self._name, self._documentation)]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The value now, if there is one."""
        return [GaugeMetricFamily(self._name, self._documentation, self._read())]
