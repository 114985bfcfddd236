"""The decoding process of a running producer: what it knows, and what it may do."""

import os
import signal
from pathlib import Path

import pytest

from producer.errors import SourceError
from producer.sources.streams import process
from producer.sources.streams.messages import DecodeRequest
from producer.sources.streams.pool import Pool
from runtime.confinement import lacking
from tests.conftest import StartService
from tests.helpers.eventually import eventually
from tests.helpers.stream_servers import rtsp_server
from tests.helpers.video_files import make
from tests.integration.test_producer_stream_faults import children

pytestmark = pytest.mark.integration

SECRET = "hunter2"


@pytest.mark.skipif(bool(lacking()), reason=f"this machine lacks {lacking()}")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into a confined process")
def test_it_knows_no_secret_but_its_cameras_and_has_no_rights(
    rabbitmq: str, start: StartService, tmp_path: Path
) -> None:
    video = make(tmp_path / "yard.mp4", seconds=60, size="160x120")
    (tmp_path / "cameras.env").write_text(f"GATE_PASSWORD='{SECRET}-file'\n")
    with rtsp_server(gate=video) as address:
        (tmp_path / "cameras.yaml").write_text(
            "cameras:\n"
            f"  - {{id: yard, source: '{video}'}}\n"
            f"  - {{id: gate, source: 'rtsp://u:${{GATE_PASSWORD}}@{address}/gate'}}\n"
            "  - {id: door, source: 'rtsp://u:${CAMERA_DOOR_PASSWORD}@127.0.0.1:9/'}\n"
        )
        producer = start(
            "producer",
            AMQP_URL=rabbitmq,
            CAMERAS=str(tmp_path / "cameras.yaml"),
            CAMERA_DOOR_PASSWORD=f"{SECRET}-environment",
            GATEWAY_TOKEN=f"{SECRET}-token",
        ).ready()
        sent = 'producer_frames_sent_total{camera_id="%s"}'
        # A file, which it cannot open itself, and a host.
        eventually(
            "both are sent", lambda: all(producer.metric(sent % each) for each in ("yard", "gate")), 30
        )
        assert 'producer_confinement_lacking{part="landlock"} 0.0' in producer.get("/metrics")[1]
        (child,) = children(producer.process.pid)
        proc = Path(f"/proc/{child}")
        environment = (proc / "environ").read_text()
        assert "PATH=" in environment
        assert SECRET not in environment
        assert "amqp" not in environment.lower()
        assert SECRET not in (proc / "cmdline").read_text()
        status = dict(each.split(":\t", 1) for each in (proc / "status").read_text().splitlines())
        assert set(status["Uid"].split()) == set(status["Gid"].split()) == {"65534"}
        assert (int(status["CapEff"], 16), status["NoNewPrivs"], status["Seccomp"]) == (0, "1", "2")
        ours = dict(
            each.split(":\t", 1)
            for each in Path(f"/proc/{producer.process.pid}/status").read_text().splitlines()
        )
        assert ours["NoNewPrivs"] == "1"
        assert producer.stop() == 0
        log = producer.log.read_text()
        assert "not confined" not in log
        assert SECRET not in log


async def test_one_that_allocates_faster_than_the_watchdog_looks_is_refused_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = make(tmp_path / "large.mkv", "mpeg4", seconds=1, fps=5, size="4096x2304")
    small = make(tmp_path / "small.mkv", "mpeg4", seconds=1, fps=5, size="160x120")
    monkeypatch.setattr(process, "AT_ONCE", -860_000_000)
    async with Pool() as pool:  # of whose 1000 MB remain 50 more than a process has at first
        reasons = {}
        for path in (large, small):
            feed = await pool.open(DecodeRequest(url=f"file:{path}", shown=path.name, pace="eager"))
            try:
                frames = [item async for item in feed.items()]
            except SourceError as error:
                reasons[path.stem] = (error.reason, str(error))
            else:
                assert len(frames) >= 5
            finally:
                feed.close()
        assert reasons == {"large": ("memory", "large.mkv needs more memory than there is")}
        assert len(pool.pids) == 1  # its camera alone ended
        for pid in pool.pids:
            os.kill(pid, signal.SIGKILL)
