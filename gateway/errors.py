"""What can go wrong in the gateway, as a short tree. The message of each is a sentence for whoever can mend it."""

import errno


class GatewayError(Exception):
    """The root of every error of the gateway. `wrong_setting`: a setting is to be corrected, nothing else will help."""

    wrong_setting = False


class CannotStart(GatewayError):
    """The gateway cannot start; the sentence says what to do."""


class WrongSetting(CannotStart):
    """The gateway cannot start with a setting, or with the file that it names."""

    wrong_setting = True


def cannot_listen(sentence: str, error: OSError) -> CannotStart:
    """The error for a port that cannot be listened on: one in use may be free the next time, the rest is a setting."""
    return CannotStart(sentence) if error.errno == errno.EADDRINUSE else WrongSetting(sentence)


class NoLink(GatewayError):
    """No link can be had from the gateway."""


class InvalidMessage(GatewayError, ValueError):
    """A WebSocket client's message cannot be understood; the sentence tells the client why."""


# --- tokens ------------------------------------------------------------------------------------------------------


class InvalidToken(GatewayError, ValueError):
    """A token cannot be made, or there is none to revoke."""


class BrokenTokens(GatewayError):
    """The file of tokens is there and cannot be used."""


class TooManyGuesses(GatewayError):
    """An address tried too many wrong tokens. `first`: worth a line in the log, since nobody was told this minute."""

    def __init__(self, *, first: bool = False) -> None:
        super().__init__("too many different wrong tokens")
        self.first = first


# --- senders -----------------------------------------------------------------------------------------------------


class BrokenSenders(GatewayError):
    """The file of senders is there and cannot be used."""


class NoSuchSender(GatewayError, LookupError):
    """There is no sender of that name."""


class TooManySenders(GatewayError, ValueError):
    """No further sender can be named."""


# --- what is desired ----------------------------------------------------------------------------------------------


class CannotKeep(GatewayError):
    """The file that keeps a change, or who made it, cannot be written: nothing was changed."""


class NotHeardYet(GatewayError):
    """Workers act on a wish of which this gateway has not heard: a change would undo what it does not know."""


class TooManyCameras(GatewayError, ValueError):
    """No further camera can have a model of its own."""


class TooManyDrains(GatewayError, ValueError):
    """No further worker can be drained."""


# --- jobs ---------------------------------------------------------------------------------------------------------


class JobRefusal(GatewayError):
    """What was asked of a job, or for an upload, is not done; answered with `status`."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


# --- dead letters ------------------------------------------------------------------------------------------------


class NoSuchOperation(GatewayError, LookupError):
    """There is no such replay or purge, or its proposal is too old."""


class NothingMatches(GatewayError, LookupError):
    """No dead letter is meant."""


class OperationUnderWay(GatewayError):
    """Another replay or purge runs."""


# --- history -----------------------------------------------------------------------------------------------------


class HistoryError(GatewayError):
    """The history cannot do what was asked of it."""


class HistoryOccupied(HistoryError):
    """Another gateway has the SQLite file."""


class HistoryDamaged(HistoryError):
    """The SQLite file is known to be damaged and has not changed since; the message is what SQLite said."""


class HistoryMoved(HistoryError):
    """The SQLite file is no longer where it was opened."""


class HistoryUnavailable(HistoryError):
    """The history cannot be asked now."""


class HistoryTooSlow(HistoryError):
    """A question to the history took longer than it may."""


class WrongEncoding(HistoryError):
    """The PostgreSQL database cannot hold every name."""


class WrongVersion(HistoryError):
    """The database was written by another version of Framefleet."""


class Unstorable(HistoryError, ValueError):
    """A result cannot be stored by any database."""


# --- Prometheus --------------------------------------------------------------------------------------------------


class PrometheusError(GatewayError):
    """Prometheus gave no usable answer. `status` is what the gateway answers in its place."""

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type


class AlertmanagerError(GatewayError):
    """Alertmanager gave no usable answer."""


class OutOfBounds(GatewayError, ValueError):
    """A query asks Prometheus for too much, or for what no query can be."""


class TooManyQueries(GatewayError):
    """As many queries as may be are under way and wait already, or waiting took too long."""


class SharedUnavailable(GatewayError):
    """What gateways share cannot be had: Redis is slow, gone or refuses. Its text says what to do."""
