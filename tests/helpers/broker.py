"""RabbitMQ nodes of tests, whose rabbitmqctl stays: starting its Erlang machine costs more than all that it is told."""

import base64
import os
import select
import subprocess
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

from cli import rabbitmq
from cli.rabbitmq import RabbitMQNode

STAYS = r"""
logger:set_primary_config(level, none),
{ok, _} = application:ensure_all_started(rabbitmqctl),
Next = fun(Self) ->
    case io:get_line("") of
        eof ->
            halt();
        Line ->
            Words = [base64:decode(Word) || Word <- string:lexemes(Line, " \n")],
            {_, Monitor} = spawn_monitor(fun() -> 'Elixir.RabbitMQCtl':main(Words) end),
            Status = receive
                {'DOWN', Monitor, process, _, {shutdown, Code}} -> Code;
                {'DOWN', Monitor, process, _, _} -> 70
            end,
            io:format("\0~b\n", [Status]),
            Self(Self)
    end
end,
Next(Next).
"""
"""Reads a command a line, each word in base64; what it prints ends with a zero byte and the exit status."""

WORDS = ("+S", "1:1", "+sbwt", "none", "+B", "-noshell", "-hidden", "-boot", "start_clean")


class Broker(RabbitMQNode):
    """A node of a test's own."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        super().__init__(directory, **settings)
        self._attendant: Attendant | None = None

    def ctl(self, *arguments: str, timeout: float = 60) -> str:
        """As the one of `RabbitMQNode`, by a process that is there already. Raises RabbitMQError."""
        modules = _modules()
        if modules is None:
            return super().ctl(*arguments, timeout=timeout)
        if self._attendant is None:
            self._attendant = Attendant(
                [*self._command("erl")[:-1], "erl", "-pa", modules.name], self.env(), self.directory
            )
        try:
            printed = self._attendant.printed(["--quiet", "--node", self.name, *arguments], timeout)
        except subprocess.TimeoutExpired:
            self._dismiss()  # what it says late is no answer to the next command
            raise
        # A command that failed fails again, and tells why.
        return super().ctl(*arguments, timeout=timeout) if printed is None else printed

    def stop(self, grace: float = 20) -> None:
        """In order, as an operator does."""
        super().stop(grace)
        self._dismiss()

    def end(self) -> None:
        """At once, and for good: what it has on disk is the test's."""
        self.kill()
        self.epmd.stop()
        self._dismiss()

    def _dismiss(self) -> None:
        if self._attendant is not None:
            self._attendant.end()
            self._attendant = None


class Attendant:
    """An Erlang machine that runs the commands of rabbitmqctl, one after the other."""

    def __init__(self, erlang: list[str], environment: dict[str, str], folder: Path) -> None:
        libraries = rabbitmq.SCRIPTS.parent.glob("lib/rabbitmq_server-*/plugins")
        self._process = subprocess.Popen(
            [*erlang, *WORDS, "-eval", STAYS, "-extra", "rabbitmqctl"],
            env={**environment, "ERL_LIBS": os.pathsep.join(map(str, libraries))},
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
        )

    def printed(self, words: list[str], timeout: float) -> str | None:
        """What the command printed; None if it failed. Raises subprocess.TimeoutExpired."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = b" ".join(base64.b64encode(word.encode()) for word in words)
        self._process.stdin.write(line + b"\n")
        said = b""
        while not (said.endswith(b"\n") and b"\0" in said):
            if not select.select([self._process.stdout], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(words, timeout)
            more = self._process.stdout.read(65536)
            assert more, "rabbitmqctl has ended"
            said += more
        text, _, status = said.rpartition(b"\0")
        return text.decode() if int(status) == 0 else None

    def end(self) -> None:
        """It has nothing to keep."""
        self._process.kill()
        self._process.wait()
        for end in (self._process.stdin, self._process.stdout):
            if end is not None:
                end.close()


@cache
def _modules() -> "tempfile.TemporaryDirectory[str] | None":
    """A folder with the modules of Debian's rabbitmqctl; None with another RabbitMQ, which has its own way."""
    found = list(rabbitmq.SCRIPTS.parent.glob("lib/rabbitmq_server-*/escript/rabbitmqctl"))
    if not found:
        return None
    folder = tempfile.TemporaryDirectory(prefix="framefleet-rabbitmqctl-")  # goes with this process
    with zipfile.ZipFile(found[0]) as archive:
        archive.extractall(folder.name)
    return folder
