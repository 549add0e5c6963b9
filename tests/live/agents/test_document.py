"""The worker and the sender of Avaluma's document, unchanged but for the plugin, work with our avatar server."""

from __future__ import annotations

import asyncio
import functools
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from livekit import api

from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.agents.services import AVALUMA_PLUGIN, AvatarServer, Rooms, RunningProcess, environment
from tests.live.viewer import FRAME, LOUD, Viewer, viewer_token

HERE = Path(__file__).parent
HELLO = HERE.parents[2] / "assets" / "hello_world_16kHz.wav"
AVATAR = "avatar-260218-Avaluma_Avatar_Kadda_v5"
SEGMENTS = 3

pytestmark = pytest.mark.timeout(240)  # several processes that import for seconds, on a busy machine


def measured(path: Path) -> tuple[float, float]:
    """Return the seconds of sound in a file, by the viewer's threshold, and its duration in seconds."""
    samples, rate = sf.read(path, dtype="int16")
    size = round(rate * FRAME)
    frames = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float32)
    loud = (np.sqrt(np.mean(np.square(frames), axis=1)) >= LOUD).sum()
    return float(loud) * FRAME, len(samples) / rate


def laid_out(folder: Path, livekit: LiveKit, avatar_server: AvatarServer) -> None:
    """Write the files in the layout of the document."""
    for file in (HERE / "document").glob("*.py"):
        shutil.copy(file, folder)
    (folder / "assets").mkdir()
    shutil.copy(HELLO, folder / "assets")
    settings = {
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.api_key,
        "LIVEKIT_API_SECRET": livekit.api_secret,
        "AVALUMA_LICENSE_KEY": "any-on-loopback",
        "AVATAR_SERVER_URL": avatar_server.url,
    }
    (folder / ".env.local").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))


def sounds_until(viewer: Viewer, end: float) -> bool:
    """Whether the viewer has got sound from later than ``end``."""
    return viewer.sounds[-1].at > end


async def test_every_segment_of_the_documents_sender_is_heard_the_first_included(
    livekit: LiveKit, avatar_server: AvatarServer, room_name: str, tmp_path: Path
) -> None:
    await asyncio.to_thread(laid_out, tmp_path, livekit, avatar_server)
    env = {name: value for name, value in environment(livekit).items() if not name.startswith("LIVEKIT_")}
    env["PYTHONPATH"] = AVALUMA_PLUGIN
    whole, duration = await asyncio.to_thread(measured, HELLO)
    # dev: any free port for the health check, and no hour of draining
    with RunningProcess([sys.executable, "agent_2.py", "dev"], env, tmp_path) as process:
        await process.says("registered worker")
        async with (
            Viewer(livekit.url, viewer_token(livekit, room_name), identity=AVATAR) as viewer,
            api.LiveKitAPI(livekit.url, livekit.api_key, livekit.api_secret) as server,
        ):
            await Rooms(server, "agent-2").dispatch(room_name)
            await viewer.ready(40)
            before = time.monotonic()
            for number in range(1, SEGMENTS + 1):
                await process.says(f"the document's sender has sent segment {number}")
                heard = await viewer.onset(before)
                before = heard + duration + 0.3  # the next one comes 5 s after this one
                await viewer.until(functools.partial(sounds_until, viewer, before))
                assert viewer.loud_seconds(heard, before) > 0.9 * whole
