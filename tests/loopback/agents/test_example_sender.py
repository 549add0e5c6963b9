"""The example sender as a process, without a LiveKit server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SENDER = Path(__file__).parents[3] / "examples" / "external_audio_sender.py"


@pytest.mark.parametrize("module", ["numpy", "livekit"])
def test_a_ctrl_c_during_its_imports_leaves_no_traceback(tmp_path: Path, module: str) -> None:
    (tmp_path / f"{module}.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)\n"
    )
    done = subprocess.run(
        [sys.executable, str(SENDER), "demo"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == -signal.SIGINT
    assert done.stderr == ""
