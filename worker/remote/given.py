"""What the remote lane is given when its worker starts."""

from dataclasses import dataclass

from worker.remote.metrics import RemoteMetrics
from worker.remote.picture import FindFaces
from worker.remote.prices import Prices


@dataclass(frozen=True)
class Remote:
    """What an engine is given beside the settings: the endpoint's key, prices, and what hides faces, if they are."""

    key: str | None
    prices: Prices
    metrics: RemoteMetrics
    hide: FindFaces | None = None
