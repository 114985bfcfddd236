"""A private RabbitMQ node from Debian's packages: own directory, ports, cookie and epmd; loopback only.

The machine's own RabbitMQ service, its configuration in /etc/rabbitmq and its data are neither read nor touched.
Works as root and as an ordinary user. Used by `framefleet up` and by the test suite.
"""

import contextlib
import os
import re
import secrets
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cli import ports, queue_paths
from cli.epmd import Epmd, epmd_program
from cli.errors import RabbitMQError
from cli.wait import WaitObserver, wait_until

if TYPE_CHECKING:
    import psutil

SCRIPTS = Path("/usr/lib/rabbitmq/bin")  # not /usr/sbin: the wrapper there changes the user
ERLANG = Path("/usr/lib/erlang")
PLAIN = re.compile(r"[A-Za-z0-9/._+=@%,:-]+")
WORKING_FOLDER = Path("/proc/self/cwd")
"""The working folder of the process that asks: the node works in its own, and so does what it starts."""
SETTINGS = Path(__file__).resolve().parent.parent / "deploy" / "rabbitmq" / "rabbitmq.conf"
USER = "framefleet"
PLUGINS = ("rabbitmq_prometheus",)

# A client's first words in AMQP 0-9-1, and how a broker that has finished starting answers: Connection.Start begins
# with a method frame (1) on channel 0.
PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
METHOD_FRAME = b"\x01\x00\x00"


def installed() -> bool:
    """Return whether Debian's RabbitMQ and Erlang are on this machine."""
    return (SCRIPTS / "rabbitmq-server").exists() and epmd_program() is not None


class RabbitMQNode:
    """One broker in `directory`, which keeps its data and its password from one start to the next.

    Ports that are 0 are chosen freely. Nodes of one cluster share `cookie` and `epmd` and have different `name`s;
    `peers` are the names (`a@localhost`) that a new node joins at its first start. A given `epmd` is not stopped.
    """

    host, address = "localhost", ports.LOOPBACK
    """The host in the node's name, and what it listens on."""
    advanced = "[]."
    """What no line of rabbitmq.conf can say, as a term of Erlang."""

    def __init__(
        self,
        directory: Path,
        *,
        name: str = "framefleet",
        amqp_port: int = 0,
        prometheus_port: int = 0,
        distribution_port: int = 0,
        cookie: str | None = None,
        epmd: Epmd | None = None,
        peers: Sequence[str] = (),
        extra_settings: Sequence[str] = (),
    ) -> None:
        self.directory = directory.resolve()
        self.name = f"{name}@{self.host}"
        self.amqp_port = amqp_port or ports.free_port()
        self.prometheus_port = prometheus_port or ports.free_port()
        self.distribution_port = distribution_port or ports.free_port()
        self.epmd = epmd or Epmd(folder=self.directory)
        self._owns_epmd = epmd is None
        self._peers = tuple(peers)
        self._extra_settings = tuple(extra_settings)
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._cookie = self._keep(".erlang.cookie", cookie)
        self.password = self._keep("password", None)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def amqp_url(self) -> str:
        """The URL where clients connect, with the password: not for logs."""
        return f"amqp://{USER}:{self.password}@{self.address}:{self.amqp_port}/"

    @property
    def prometheus_url(self) -> str:
        """The address of the node's own metrics: add /metrics or /metrics/detailed."""
        return f"http://{self.address}:{self.prometheus_port}"

    @property
    def pid(self) -> int | None:
        """The pid of the Erlang machine itself; None when it does not run."""
        return self.process.pid if self.running and self.process else None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def log(self) -> Path:
        return self.directory / "log" / "rabbitmq.log"

    def start(self, timeout: float = 90, progress: WaitObserver | None = None) -> None:
        """Start and return when the broker speaks AMQP. Raises RabbitMQError with the last log lines."""
        self.launch()
        self.wait_ready(timeout, progress)

    def launch(self) -> None:
        """Start and return at once. A stopped cluster comes back only when its nodes start side by side."""
        if self.running:
            return
        if not installed():
            raise RabbitMQError("RabbitMQ is not installed: sudo apt-get install rabbitmq-server")
        for port in (self.amqp_port, self.prometheus_port, self.distribution_port):
            if not ports.is_free(port):
                raise RabbitMQError(
                    f"port {port} of {ports.LOOPBACK}, meant for RabbitMQ, is taken by another program"
                )
        self._write_files()
        queue_paths.settle(self.directory / "data")
        self.epmd.start()
        with (self.directory / "log" / "console.log").open("wb") as console:
            self.process = subprocess.Popen(
                # With RABBITMQ_ALLOW_INPUT the script becomes the Erlang machine: its pid is the broker's.
                [*self._command("rabbitmq-server"), "-noinput"],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                cwd=self.directory,
                env=self.env(),
                start_new_session=True,
            )

    def wait_ready(self, timeout: float = 90, progress: WaitObserver | None = None) -> None:
        """Return when the broker speaks AMQP; end it and raise RabbitMQError when it does not."""
        try:
            ready = wait_until(self._speaks_amqp, timeout, progress=progress)
        except BaseException:
            self.stop(grace=0)
            raise
        if not ready:
            why = self.last_words()
            self.stop(grace=0)
            raise RabbitMQError(f"RabbitMQ did not answer within {timeout:.0f} s.{why}")

    def stop(self, grace: float = 20) -> None:
        """End it in order, by force after `grace` seconds; its epmd too. Nothing stays behind."""
        process = self.process
        if process is not None and process.poll() is None and grace > 0:
            # Its statistics handler waits 5 s for the application controller, which waits for it: take it out first.
            self._call("gen_event", "delete_handler", "rabbit_event, rabbit_mgmt_db_handler, stop")
            process.terminate()
            wait_until(lambda: process.poll() is not None, grace)
        self.kill()
        if self._owns_epmd:
            self.epmd.stop()

    def kill(self) -> None:
        """End it at once, as a power cut would; epmd and the data stay. `start()` brings it back."""
        if self.process is None:
            return
        # What it has started (erl_child_setup, the machine that looks for epmd) has sessions of its own.
        import psutil  # here: the preparation reads this module before any package is installed

        helpers = _descendants(self.process.pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        for helper in helpers:
            with contextlib.suppress(psutil.NoSuchProcess):
                helper.kill()
        self.process.wait()
        psutil.wait_procs(helpers, timeout=5)
        self.process = None

    def _call(self, module: str, function: str, arguments: str) -> None:
        """Have the node call this function, if it answers within five seconds."""
        program = next(ERLANG.glob("erts-*/bin/erl_call"), None)
        with contextlib.suppress(RabbitMQError, OSError, subprocess.TimeoutExpired):
            if program is None:
                # It starts an Erlang machine: half a second of a core.
                self.ctl("eval", f"{module}:{function}({arguments}).", timeout=5)
                return
            there = ["-address", f"{self.address}:{self.distribution_port}", "-timeout", "5"]
            subprocess.run(
                [
                    *self._command("erl_call")[:-1],
                    program,
                    *there,
                    "-a",
                    f"{module} {function} [{arguments}]",
                ],
                env=self.env(),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=5,
                check=False,
            )

    def ctl(self, *arguments: str, timeout: float = 60) -> str:
        """Run rabbitmqctl against this node and return what it printed. Raises RabbitMQError."""
        return rabbitmqctl(
            self.env(),
            self.directory,
            *arguments,
            timeout=timeout,
            command=self._command("rabbitmqctl"),
        )

    def env(self) -> dict[str, str]:
        """The whole environment of the node and its commands: nothing of the caller's, nothing of /etc/rabbitmq."""
        here = self.directory
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(here),  # where Erlang looks for the cookie
            "ERL_EPMD_PORT": str(self.epmd.port),
            "ERL_EPMD_ADDRESS": self.address,
            "ERL_INETRC": str(here / "inetrc"),
            # Every Erlang machine would start an epmd of its own if ours were gone; RabbitMQ starts short-lived ones.
            "ERL_ZFLAGS": "-start_epmd false",
            "ERL_CRASH_DUMP_SECONDS": "0",
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_CONFIG_FILE": str(here / "rabbitmq.conf"),
            "RABBITMQ_CONFIG_FILES": str(here / "conf.d"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(here / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(here / "enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(here / "generated"),
            "RABBITMQ_SCHEMA_DIR": str(here / "schema"),
            "RABBITMQ_MNESIA_BASE": str(self._data),
            "RABBITMQ_LOG_BASE": str(here / "log"),
            "RABBITMQ_LOGS": str(self.log),
            "RABBITMQ_PID_FILE": str(here / "pid"),
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": " ".join(self._erlang_arguments()),
        }

    @property
    def _data(self) -> Path:
        """The folder of its data, in a form that RabbitMQ can hand to `df`: it quotes nothing.

        From "my files" it would learn no free space (a scrape of its metrics fails then), from "it's" it never starts.
        """
        folder = self.directory if PLAIN.fullmatch(str(self.directory)) else WORKING_FOLDER
        return folder / "data"

    def last_words(self, lines: int = 6) -> str:
        """The last lines that say why, from the log and the console; an empty string when there are none."""
        text = ""
        for file in (self.directory / "log" / "console.log", self.log):
            if file.exists():
                text += file.read_text(errors="replace")[-20_000:]
        said = [line.rstrip() for line in text.splitlines() if line.strip()]
        why = [line for line in said if "error" in line.lower() or "failed" in line.lower()] or said
        return "".join(f"\n  {line[:300]}" for line in why[-lines:]) + (
            f"\n  Its log: {self.log}" if said else ""
        )

    def _speaks_amqp(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            code = None if self.process is None else self.process.returncode
            raise RabbitMQError(f"RabbitMQ ended while it started (exit code {code}).{self.last_words()}")
        return ports.answers(self.amqp_port, host=self.address, say=PROTOCOL_HEADER, expect=METHOD_FRAME)

    def _command(self, program: str) -> list[str]:
        """The words that run one of RabbitMQ's programs where this node is."""
        return [str(SCRIPTS / program)]

    def _hosts(self) -> dict[str, str]:
        """The addresses of the hosts in the names of nodes."""
        return {self.host: self.address}

    def _erlang_arguments(self) -> list[str]:
        # Two to four schedulers serve thousands of frames a second, and leave the cores to the workers.
        schedulers = max(1, min(4, os.cpu_count() or 1))
        return [
            f"+S {schedulers}:{schedulers} +B i",
            f"-kernel inet_dist_use_interface {_erlang(self.address)}",
        ]

    def _write_files(self) -> None:
        """Write the configuration, anew at every start: ports may have changed, the settings too."""
        for folder in ("log", "data", "conf.d", "generated", "schema"):
            (self.directory / folder).mkdir(exist_ok=True)
        settings = [
            SETTINGS.read_text(),
            f"listeners.tcp.1 = {self.address}:{self.amqp_port}",
            f"prometheus.tcp.ip = {self.address}",
            f"prometheus.tcp.port = {self.prometheus_port}",
            f"default_user = {USER}",
            f"default_pass = {self.password}",
            "log.console = false",
            "log.file.level = info",
            "log.file.rotation.size = 10485760",
            "log.file.rotation.count = 3",
            *(
                f"cluster_formation.classic_config.nodes.{n} = {peer}"
                for n, peer in enumerate(self._peers, 1)
            ),
            *self._extra_settings,
        ]
        if self._peers:
            settings.append("cluster_formation.peer_discovery_backend = classic_config")
        self._keep("rabbitmq.conf", "\n".join(settings) + "\n")
        (self.directory / "advanced.config").write_text(f"{self.advanced}\n")
        (self.directory / "enabled_plugins").write_text(f"[{','.join(PLUGINS)}].\n")
        # Names are known here: no question to a DNS server, which may be slow or absent.
        hosts = [f'{{host, {_erlang(address)}, ["{host}"]}}.' for host, address in self._hosts().items()]
        (self.directory / "inetrc").write_text("\n".join([*hosts, "{lookup, [file]}.\n"]))

    def _keep(self, file: str, text: str | None) -> str:
        """Write `text` for our eyes only, or read what is there, or make up a secret; returns the content."""
        path = self.directory / file
        if text is None and path.exists():
            text = path.read_text()
        text = text or secrets.token_hex(24)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(text)
        path.chmod(0o600)
        return text


def _erlang(address: str) -> str:
    """An IPv4 address as Erlang writes it."""
    return f"{{{address.replace('.', ',')}}}"


def rabbitmqctl(
    environment: Mapping[str, str],
    folder: Path,
    *arguments: str,
    timeout: float = 60,
    secret: str = "",
    command: Sequence[str] = (),
) -> str:
    """Run rabbitmqctl against the node with this environment, which works in `folder`; return what it printed.

    `secret` is what it reads from its standard input: its arguments can be seen by everybody. `command` are the words
    that run it, if others than usual. Raises RabbitMQError.
    """
    words = [
        *(command or [str(SCRIPTS / "rabbitmqctl")]),
        "--quiet",
        "--node",
        environment["RABBITMQ_NODENAME"],
        *arguments,
    ]
    done = subprocess.run(
        words,
        env=environment,
        cwd=folder,
        input=f"{secret}\n" if secret else None,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode != 0:
        raise RabbitMQError(f"rabbitmqctl {arguments[0]} failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def _descendants(pid: int) -> "list[psutil.Process]":
    """The processes that this one has started, and those that they have started."""
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []
