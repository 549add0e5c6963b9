"""The sounds that come with the project are what their page says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

ASSETS = Path(__file__).parents[3] / "assets"
ROWS = re.findall(r"^\| `([^`]+)` \| ([\d.]+) s \|", (ASSETS / "README.md").read_text(), re.MULTILINE)
SOUNDS = {path.name for path in ASSETS.iterdir() if path.suffix in (".wav", ".mp3", ".ogg")}


def test_every_sound_has_a_row_on_the_page() -> None:
    assert {name for name, _ in ROWS} == SOUNDS


@pytest.mark.parametrize(("name", "seconds"), ROWS)
def test_a_sound_is_as_long_as_the_page_says_and_can_be_heard(name: str, seconds: str) -> None:
    samples, rate = soundfile.read(ASSETS / name, dtype="float32")
    assert len(samples) / rate == pytest.approx(float(seconds), abs=0.05)
    assert 0.3 < np.abs(samples).max() < 1
    assert np.sqrt(np.mean(samples**2)) > 0.02


def test_the_first_of_them_is_what_everybody_plays_first() -> None:
    info = soundfile.info(ASSETS / "hello_world_16kHz.wav")
    assert (info.samplerate, info.channels, info.subtype) == (16_000, 1, "PCM_16")
    assert 2 <= info.duration <= 4
