"""Nothing leaves the operator's machine: a detector's runtime does not begin to report home."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_loading_the_detectors_leaves_no_device_id_and_no_telemetry_thread(tmp_path: Path) -> None:
    """ONNX Runtime 1.31 writes into the home directory as soon as it is imported, unless told before."""
    script = "import os, worker.loader; print(len(os.listdir('/proc/self/task')))"
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    environment.pop("XDG_CACHE_HOME", None)
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert done.stdout
