"""Files of every kind at a viewer: their duration, the position they end at and what is heard agree."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import numpy as np
import pytest

from mouthpiece.audio.decoders import Decoders
from mouthpiece.segments import Receipt, Source, State, new_segment_id
from mouthpiece_sender.livekit.server_api import LiveKitAccess
from mouthpiece_sender.sounds.file import FileSound
from mouthpiece_sender.target import SpeakRequest
from tests.live.recorded import judge
from tests.live.sender.conftest import running_gateway
from tests.live.viewer import Viewer
from tests.loopback.decode.matrix import written
from tests.loopback.decode.odd_writers import LAYOUTS, WHOLE

pytestmark = pytest.mark.timed

FILES = [
    ("wav-PCM_U8", 16_000, 1, "pipe"),
    ("wav-DOUBLE", 44_100, 2, "joined"),
    ("aiff-PCM_24", 44_100, 1, "file"),
    ("flac-PCM_16", 48_000, 6, "file"),
    ("flac-by-ffmpeg", 16_000, 1, "pipe"),
    ("vorbis", 16_000, 2, "joined"),
    ("opus", 24_000, 1, "joined"),
    ("mp3", 44_100, 2, "file"),
    ("m4a", 44_100, 1, "pipe"),
    ("webm", 48_000, 1, "pipe"),
    ("aac", 16_000, 1, "cut"),
]
ODD = ["wav-joined-ffff", "wav-odd-list-without-pad", "id3-aac", "flac-pipe", "ogg-opus-chained"]
MIXED = ["antiphase", "5.1-centre"]
WITHIN = 0.1
"""Seconds."""
SHORTER = 0.3
"""Seconds by which a jitter buffer that catches up may shorten what is heard; what a busy machine leaves out makes it
longer, so only ``bench/formats.py`` holds it to its length."""
ALIKE = 0.8
"""The median correlation of its pieces: a busy machine leaves holes in some."""


def contents(folder: Path) -> dict[str, bytes]:
    return {
        **{f"{file}": written(folder, *file) for file in FILES},
        **{name: WHOLE[name](folder) for name in ODD},
        **{name: LAYOUTS[name][0](folder) for name in MIXED},
    }


@pytest.mark.timeout(180)
async def test_what_is_in_a_file_is_what_a_viewer_hears(
    access: LiveKitAccess, viewer: Viewer, room_name: str, tmp_path: Path
) -> None:
    files = await asyncio.to_thread(contents, tmp_path)
    wrong = []
    async with running_gateway(access) as gateway, Decoders() as decoders:
        for name, content in files.items():
            path = tmp_path / "given"
            await asyncio.to_thread(path.write_bytes, content)
            sound = await FileSound.probe(path, decoders)
            async with sound.open() as blocks:
                decoded = np.concatenate([block.samples async for block in blocks])
            with viewer.record_sound() as recording:
                began = time.monotonic()
                accepted = await gateway.speak(SpeakRequest(room_name, sound, Source("file", name), new_segment_id()))
                segment = await gateway.wait(accepted.id, "finished", 30)
                await viewer.onset(began)
                await viewer.offset(began, quiet=0.6)
            assert (segment.state, segment.receipt) == (State.FINISHED, Receipt.CONFIRMED), name
            assert sound.info.duration is not None
            assert segment.position == pytest.approx(sound.info.duration, abs=WITHIN), name
            heard = judge(recording, decoded, sound.info.sample_rate)
            if heard is None or heard.longer < -SHORTER or abs(heard.level) > 1.5 or np.median(heard.pieces) < ALIKE:
                wrong.append((name, heard))
    assert wrong == []
