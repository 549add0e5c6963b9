"""A Ctrl-C that comes while livekit-agents starts a process is not lost."""

from __future__ import annotations

import subprocess
import sys

PENDING_WHILE_A_PROCESS_STARTS = """
import os, signal
from mouthpiece_agents import signals

signals.block()
signals.never_ignore()
from livekit.agents.ipc import supervised_proc

os.kill(os.getpid(), signal.SIGINT)
with supervised_proc._mask_ctrl_c():
    pass
print(signal.sigpending() == {signal.SIGINT})
"""


def test_one_that_is_pending_when_a_process_starts_stays_pending() -> None:
    said = subprocess.run(
        [sys.executable, "-c", PENDING_WHILE_A_PROCESS_STARTS], capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout.split() == ["True"]
