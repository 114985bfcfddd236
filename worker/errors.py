"""What can go wrong in a worker, as a short tree. Each message is a sentence for whoever can mend it."""


class WorkerError(Exception):
    """The root of every error of a worker. `wrong_setting`: a setting is to be corrected, nothing else will help."""

    wrong_setting = False

    @property
    def sentence(self) -> str:
        """What `python -m worker` says of it: the message, and which setting to look at."""
        return str(self)


class DeviceUnavailable(WorkerError):
    """The device that the operator insists on is not here."""


class MetricsPortUnavailable(WorkerError):
    """The port of /metrics cannot be listened on."""


# --- models ------------------------------------------------------------------------------------------------------


class ModelError(WorkerError):
    """A model cannot be used."""


class InvalidRegistry(ModelError, ValueError):
    """A models.toml, or a file that it names, is not as it must be; the message says where and what is allowed."""

    wrong_setting = True


class UnknownModel(ModelError, ValueError):
    """No model has that name; the message says which there are."""

    wrong_setting = True

    @property
    def sentence(self) -> str:
        return f"WORKER_DETECTOR: {self}"


class ModelUnavailable(ModelError, RuntimeError):
    """The model was not found, or does not load; the message says where was looked and what to do."""

    @property
    def sentence(self) -> str:
        return f"{self}; or set WORKER_DETECTOR=auto to fall back to what is built in"


class DownloadFailed(ModelError, RuntimeError):
    """No address of a model's file could be downloaded; the message says why, address by address."""
