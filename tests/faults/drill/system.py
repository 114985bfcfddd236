"""A whole system on three brokers, found by Prometheus as in Compose: what has ended is found no more."""

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from aiohttp import web

from cli.layout import Layout
from cli.ports import free_port
from cli.prometheus import configuration
from contract.topology import Lane
from tests.helpers.cluster import Cluster
from tests.helpers.gateway import TOKEN
from tests.helpers.images import jpeg
from tests.helpers.models import write_models
from tests.helpers.processes import Service
from tests.helpers.tiny_yunet import write_tiny_yunet

DATA_MB = 64
"""The disk of the history."""
MODELS = """
[blind]
kind = "yunet"
file = "blind.onnx"
"""


class System:
    """Services by name; `begin` and `end` start and stop them, and tell Prometheus as Docker's DNS would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "gateway"
        self.cluster = Cluster(folder / "brokers")
        self.camera = MovingCamera()
        self.gateway_port = free_port()
        self.prometheus_port = free_port()
        self.services: dict[str, Service] = {}
        self._prometheus: subprocess.Popen[bytes] | None = None

    @property
    def gateway(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def prometheus(self) -> str:
        return f"http://127.0.0.1:{self.prometheus_port}"

    @property
    def amqp_url(self) -> str:
        return ",".join(self.cluster.urls)

    def start(self) -> None:
        """Start all of it, and return when every service is ready."""
        self.cluster.start()
        self.start_prometheus()
        models = self._models()
        self._environment = {
            "worker": {"MODEL_DIR": str(models)},
            "gateway": {
                "GATEWAY_PORT": str(self.gateway_port),
                "GATEWAY_TOKEN": TOKEN,
                "GATEWAY_DATA_DIR": str(self.data),
                "PROMETHEUS_URL": self.prometheus,
            },
            "producer": {},
        }
        for name in ("worker-1", "worker-2", "gateway-1", "producer-1", "producer-2"):
            self.begin(name)
        for service in self.services.values():
            service.ready(90)

    def begin(self, name: str) -> Service:
        """Start the service of that name, as `worker-1`, or `worker-gpu` for a worker of that lane."""
        module, _, which = name.partition("-")
        own = {}
        if module == "worker":
            own = {"NODE_ID": name, "WORKER_LANE": which if which in set(Lane) else Lane.LIVE}
        elif module == "producer":
            own = {"PRODUCER_ID": name, "CAMERAS": str(self._cameras(name))}
        environment = {"AMQP_URL": self.amqp_url, **self._environment[module], **own}
        service = Service(module, self.folder / f"{name}.log", **environment)
        self.services[name] = service
        self._tell_prometheus()
        return service

    def end(self, name: str, *, kill: bool = False) -> None:
        """Stop it in order, or at once."""
        service = self.services.pop(name)
        if kill:
            service.kill()
        else:
            service.stop()
        self._tell_prometheus()

    def start_prometheus(self) -> None:
        """Start it, with the data that it has."""
        file = self.folder / "prometheus.yml"
        file.write_text(json.dumps(self._configuration()))
        self._tell_prometheus()
        with (self.folder / "prometheus.log").open("ab") as out:
            self._prometheus = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={file}",
                    f"--storage.tsdb.path={self.folder / 'tsdb'}",
                    f"--web.listen-address=127.0.0.1:{self.prometheus_port}",
                    "--log.level=warn",
                ],
                stdout=out,
                stderr=out,
            )

    def kill_prometheus(self) -> None:
        """End it at once."""
        if self._prometheus is not None:
            self._prometheus.kill()
            self._prometheus.wait()
            self._prometheus = None

    def stop(self) -> None:
        """End all of it."""
        for service in self.services.values():
            service.kill()
        self.kill_prometheus()
        self.cluster.stop()

    def _models(self) -> Path:
        """YuNet's folder, or a stand-in's, and a model beside it that finds nothing."""
        folder = self.folder / "models"
        given = os.environ.get("MODEL_DIR")
        if given:
            folder.mkdir()
            for file in Path(given).glob("*.onnx"):
                (folder / file.name).symlink_to(file)
            (folder / "models.toml").write_text(MODELS)
        else:
            write_models(folder)
            with (folder / "models.toml").open("a") as out:
                out.write(MODELS)
        write_tiny_yunet(folder / "blind.onnx", over=2.0)
        return folder

    def _cameras(self, producer: str) -> Path:
        """Its own cameras: nobody takes them over."""
        file = self.folder / f"{producer}.yaml"
        own = [f"{producer}-{n}" for n in (1, 2)]
        lines = [f"- {{id: {camera}, source: 'demo:1', fps: 5}}" for camera in own]
        if producer == "producer-1":
            lines.append(f"- {{id: moving, source: '{self.camera.url}', fps: 2}}")
        file.write_text("cameras:\n" + "\n".join(lines) + "\n")
        return file

    def _configuration(self) -> dict[str, object]:
        """As `make up` writes it, but that all services are found by files, and three brokers."""
        brokers = [f"127.0.0.1:{node.prometheus_port}" for node in self.cluster.nodes.values()]
        made = configuration(Layout(), {"rabbitmq": brokers[0], "gateway": "-", "producer": "-"})
        jobs = made["scrape_configs"]
        assert isinstance(jobs, list)
        for job in jobs:
            name = job["job_name"]
            if name in ("cv-worker", "gateway", "producer"):
                job.pop("static_configs", None)
                files = [str(self.folder / f"{name}.targets.json")]
                job["file_sd_configs"] = [{"files": files, "refresh_interval": "5s"}]
            elif name.startswith("rabbitmq"):
                job["static_configs"] = [{"targets": brokers}]
        return made

    def _tell_prometheus(self) -> None:
        for job, module in (("cv-worker", "worker"), ("gateway", "gateway"), ("producer", "producer")):
            targets = [
                f"127.0.0.1:{service.probe}"
                for name, service in self.services.items()
                if name.startswith(module)
            ]
            file = self.folder / f"{job}.targets.json"
            fresh = file.with_suffix(".new")
            fresh.write_text(json.dumps([{"targets": targets}] if targets else []))
            fresh.replace(file)


class MovingCamera:
    """A camera that shows another picture each time, until it is `frozen`."""

    def __init__(self) -> None:
        self.frozen = False
        self._port = free_port()
        self._random = np.random.default_rng(1)
        self._picture = b""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/now.jpg"

    async def serve(self) -> web.AppRunner:
        """Answer until the runner is cleaned up."""
        app = web.Application()
        app.add_routes([web.get("/now.jpg", self._answer)])
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._port).start()
        return runner

    async def _answer(self, _request: web.Request) -> web.Response:
        if not self.frozen:
            noise = self._random.integers(0, 40, (240, 320, 3), np.uint8)
            gradient = np.linspace(40, 200, 320, dtype=np.uint8)[None, :, None]
            self._picture = await asyncio.to_thread(jpeg, noise + gradient)
        return web.Response(body=self._picture, content_type="image/jpeg")


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A file system of its own at `folder`, which can be filled. Needs root."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DATA_MB}m", "none", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
