"""What ends the operator's command: one root, which the entry points catch. Standard library only (bootstrap)."""


class CommandError(Exception):
    """The command cannot go on; the message says what happened and what to do."""


class NotHere(CommandError):
    """A sub-command cannot be run in this place; the message says where it can."""


class InvalidOption(CommandError, ValueError):
    """An option cannot be used as given; the message names it and says what would do."""


class KnobError(CommandError, ValueError):
    """A knob cannot be used as given; the message names it and says what would do."""


class NotPrepared(CommandError):
    """The machine cannot be made ready; the message says what is in the way."""


class AlreadyRuns(CommandError):
    """Another `framefleet up` holds the lock of this checkout; the message names its process."""


class StartFailed(CommandError):
    """A part of the system could not be started at all; the message names it and says why."""


class SettingsRefused(CommandError):
    """A service does not accept its settings; the message is what the service said."""


class RabbitMQError(CommandError):
    """The private RabbitMQ did not start, or a command of it failed; the message ends with what it last logged."""


class NoBroker(CommandError):
    """No broker is known; the message says how to name one."""


class CannotReadSenders(CommandError):
    """The senders are not known in this place; the message says why, and where they are."""


class NoManagement(CommandError):
    """The broker cannot be administered from here; the message says why."""


class BrokerAlarm(CommandError):
    """The broker has raised an alarm: it takes nothing until that ends, and then everything goes on by itself."""


class DeadQueue(CommandError):
    """A queue does not work, and will not by waiting; the message names it."""


class CannotMeasure(CommandError):
    """A measuring process could not answer; the message says why."""
