"""Real plugins of the real vision-agents, in an environment of their own.

They cannot live in ours: vision-agents 0.6.9 wants av before 17 and aiortc before 1.15, its OpenAI plugin openai 2.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mouthpiece_sender.demo.toolchain import cache_folder
from tests.loopback.tts.emulators import KEY, SECONDS_A_CHARACTER, ElevenLabs, OpenAI

TEXT = "Every letter of this sentence is worth two hundredths of a second."
ROOT = Path(__file__).parents[3]
VERSION = "0.6.9"
PACKAGES = (
    f"vision-agents=={VERSION}",
    f"vision-agents-plugins-elevenlabs=={VERSION}",
    f"vision-agents-plugins-openai=={VERSION}",
    "sentencex>=1.0.32",
    "soxr>=1.0",
)


@pytest.fixture(scope="module")
def vision_agents() -> Path:
    """The Python of an environment with them, made once and kept."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache_folder() / f"vision-agents-{VERSION}-python{python}"
    interpreter = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        shutil.rmtree(folder, ignore_errors=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
            subprocess.run([*_installer(interpreter), *PACKAGES], check=True, capture_output=True, timeout=600)
        except (OSError, subprocess.SubprocessError) as error:
            reason = f"vision-agents cannot be installed: {error}"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        ready.touch()
    return interpreter


def _installer(interpreter: Path) -> list[str]:
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--python", str(interpreter)]
    return [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


@pytest.mark.timeout(700)
async def test_real_plugins_speak_fail_and_stop(vision_agents: Path, openai: OpenAI, elevenlabs: ElevenLabs) -> None:
    process = await asyncio.create_subprocess_exec(
        str(vision_agents),
        str(Path(__file__).with_name("vision_agents_child.py")),
        openai.url,
        elevenlabs.url,
        KEY,
        TEXT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    trials = {trial["trial"]: trial for trial in map(json.loads, out.decode().splitlines())}

    frames = round(len(TEXT) * SECONDS_A_CHARACTER * 48_000)
    for name, provider in (("openai speaks", "openai_tts"), ("elevenlabs speaks", "TTS")):
        trial = trials[name]
        assert trial["provider"] == f"vision_agents:{provider}"
        assert abs(trial["frames"] - frames) <= 2
        assert trial["kinds"][0] == "tts.synthesis_start"
        assert trial["kinds"][-1] == "tts.synthesis_complete"
    for name in ("openai with a wrong key", "elevenlabs with a wrong key"):
        assert trials[name]["error"] == "TTSAuthError"
        assert trials[name]["kinds"] == ["tts.synthesis_start", "tts.error"]
    stop = trials["stop"]
    assert (stop["state"], stop["rest"], stop["left"]) == ("interrupted", 0, [])
