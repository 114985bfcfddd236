"""One Compose project in a clone of its own, driven by the command that an operator types."""

import asyncio
import json
import os
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

SERVICES = ("rabbitmq", "cv-worker", "producer", "gateway", "prometheus")


class Refused(Exception):
    """A command of Compose failed; its last lines."""


class Project:
    """A checkout in `folder` with an `.env` of its own; `ports` begins the block of ports that it publishes."""

    def __init__(self, folder: Path, name: str, ports: int) -> None:
        self.folder = folder
        self.name = name
        self._env = {
            "COMPOSE_PROJECT_NAME": name,
            "GATEWAY_PORT": str(ports),
            "AMQP_PORT": str(ports + 1),
            "RABBITMQ_MANAGEMENT_PORT": str(ports + 2),
            "PROMETHEUS_PORT": str(ports + 3),
            "GATEWAY_TOKEN": "a-token-of-the-compose-hour",
        }
        self.gateway = f"127.0.0.1:{ports}"
        self.token = self._env["GATEWAY_TOKEN"]
        self.conflicts = 0
        self.set()

    def set(self, **more: str) -> None:
        """Write `.env` with these besides the project's own."""
        lines = [f"{name}={value}" for name, value in {**self._env, **more}.items()]
        (self.folder / ".env").write_text("\n".join(lines) + "\n")

    async def compose(self, *arguments: str, seconds: float = 600) -> str:
        """`docker compose ARGUMENTS`; what it printed. Raises Refused."""
        environment = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "DOCKER_HOST")}
        process = await asyncio.create_subprocess_exec(
            *("docker", "compose", *arguments),
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        async with asyncio.timeout(seconds):
            out, _ = await process.communicate()
        text = out.decode()
        if process.returncode:
            raise Refused(text[-600:])
        return text

    async def up(self, *arguments: str) -> str:
        """`docker compose up -d ARGUMENTS`, once more where Compose met a container that was just being restarted."""
        try:
            return await self.compose("up", "-d", *arguments, seconds=1800)
        except Refused as error:
            if "Conflict. The container name" not in str(error):
                raise
            self.conflicts += 1
            return await self.compose("up", "-d", *arguments, seconds=1800)

    async def containers(self) -> list[dict[str, Any]]:
        """What `docker compose ps` lists, stopped ones too."""
        printed = await self.compose("ps", "--all", "--format", "json")
        return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]

    async def ids(self, service: str) -> list[str]:
        """The containers of a service that run."""
        return (await self.compose("ps", "--quiet", service)).split()

    async def healthy(self, count: int | None = None, seconds: float = 180) -> None:
        """Wait until all run and are healthy, the workers `count`."""
        listed: list[dict[str, Any]] = []

        async def look() -> bool:
            listed[:] = await self.containers()
            workers = sum(each["Service"] == "cv-worker" for each in listed)
            return (
                len({each["Service"] for each in listed}) == len(SERVICES)
                and all(each["State"] == "running" and each["Health"] == "healthy" for each in listed)
                and count in (None, workers)
            )

        await until("every container healthy", look, seconds)

    async def amqp_url(self) -> str:
        """The broker, as a plain client of this machine reaches it."""
        password = (await self.compose("exec", "-T", "rabbitmq", "cat", "/run/framefleet/password")).strip()
        return f"amqp://framefleet:{password}@127.0.0.1:{self._env['AMQP_PORT']}/"

    async def down(self) -> None:
        """Remove everything of the project, volumes too."""
        await self.compose("down", "--volumes", "--remove-orphans", "--rmi", "local")


async def until(what: str, look: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """`aeventually` for a question that takes a command to answer."""
    deadline = time.monotonic() + seconds
    while not await look():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:.0f} s")
        await asyncio.sleep(0.5)


def clone(source: Path, folder: Path, name: str) -> Path:
    """What is committed and what is not, without what was built: a checkout of its own."""
    target = folder / name
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=source,
        capture_output=True,
        check=True,
    ).stdout.decode()
    for file in filter(None, listed.split("\0")):
        if (source / file).is_file():
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / file, target / file)
    return target


def cpu_seconds(container: str) -> float:
    """What the container's processes have used, from its control group."""
    stat = next(Path("/sys/fs/cgroup").rglob(f"*{container}*/cpu.stat"), None)
    if stat is not None:
        return int(stat.read_text().split()[1]) / 1e6
    usage = next(Path("/sys/fs/cgroup").rglob(f"*{container}*/cpuacct.usage"))
    return int(usage.read_text()) / 1e9


def host_pid(container: str) -> int:
    """The container's first process, as this machine numbers it."""
    asked: Sequence[str] = ("docker", "inspect", "--format", "{{.State.Pid}}", container)
    return int(subprocess.run(asked, capture_output=True, check=True).stdout)
