"""Whatever of ours runs first switches onnxruntime's telemetry off, before onnxruntime can be imported."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

VARIABLE = "ORT_DISABLE_TELEMETRY"


@pytest.mark.parametrize(("given", "seen"), [(None, "1"), ("0", "0")])
def test_the_core_switches_it_off_unless_somebody_has_decided(given: str | None, seen: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    if given is not None:
        environment[VARIABLE] = given
    code = f"import os, sys, mouthpiece; assert 'onnxruntime' not in sys.modules; print(os.environ['{VARIABLE}'])"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == seen
