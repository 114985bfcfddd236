"""What results are kept, where and for how long: settings of `framefleet batch` and `process_batch`."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from batch.cache.disk import default_folder
from batch.cache.levels import CacheLevels
from batch.cache.results import levels
from batch.settings import from_environment
from runtime.redis_url import RedisUrl
from runtime.settings import EnvironmentSettings

MIB, DAY = 1 << 20, 86_400.0


class CacheSettings(EnvironmentSettings):
    """Settings of kept results (environment variables)."""

    model_config = SettingsConfigDict(env_prefix="BATCH_CACHE_")

    folder: Path | None = Field(
        None,
        validation_alias="BATCH_CACHE_DIR",
        description="where jobs keep results on this machine; by default ~/.cache/framefleet/results",
    )
    mb: int = Field(1024, ge=1, le=1_000_000, description="MiB of results that are kept there at most")
    memory_mb: int = Field(
        64, ge=1, le=65_536, description="MiB of results that a job keeps in memory at most"
    )
    days: float = Field(30.0, gt=0, le=3_650, description="how long a result is kept")
    redis_url: RedisUrl = Field(
        SecretStr(""),
        validation_alias="REDIS_URL",
        description="a Redis in which the jobs of several machines keep results: redis://:password@host:6379/0; empty: "
        "each machine keeps its own",
    )


def kept_results() -> CacheLevels:
    """The levels that the environment's settings make. Raises BatchError with a sentence for what is wrong."""
    settings = from_environment(CacheSettings)
    return levels(
        settings.folder or default_folder(),
        settings.redis_url.get_secret_value(),
        memory_bytes=settings.memory_mb * MIB,
        disk_bytes=settings.mb * MIB,
        ttl=settings.days * DAY,
    )
