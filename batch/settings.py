"""Settings of jobs, which `framefleet batch` and programs take from the environment."""

import os
from typing import TypeVar

from batch.errors import BatchError
from runtime.settings import EnvironmentSettings, read

JobSettings = TypeVar("JobSettings", bound=EnvironmentSettings)


def from_environment(kind: type[JobSettings]) -> JobSettings:
    """The settings of a kind. Raises BatchError with a sentence for what is wrong."""
    settings, wrong = read(kind, os.environ)
    if settings is None:
        raise BatchError("; ".join(wrong))
    return settings
