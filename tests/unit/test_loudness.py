"""Sounds come out at one loudness, by FFmpeg's own meter (ebur128), and as long as they were."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from mouthpiece.audio.loudness import TRUE_PEAK, Loudness
from mouthpiece.audio.pcm import Pcm, Samples

ASSETS = Path(__file__).parent.parent.parent / "assets"


def measured(samples: Samples, rate: int) -> tuple[float, float]:
    """Integrated loudness in LUFS, and the true peak in dBTP."""
    graph = av.filter.Graph()
    source = graph.add("abuffer", f"sample_rate={rate}:sample_fmt=s16:channel_layout=mono:time_base=1/{rate}")
    meter, sink = graph.add("ebur128", "peak=true:metadata=1"), graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), "s16", "mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    graph.push(frame)
    graph.push(None)
    facts: dict[str, str] = {}
    peak = 0.0
    while True:
        try:
            facts = dict(graph.pull().metadata) or facts
        except (av.BlockingIOError, av.EOFError):
            break
        peak = max(peak, float(facts["lavfi.r128.true_peaks_ch0"]))
    return float(facts["lavfi.r128.I"]), 20 * float(np.log10(max(peak, 1e-9)))


def speech(seconds: float, gain: float) -> tuple[Samples, int]:
    samples, rate = soundfile.read(ASSETS / "hello_world_16kHz.wav", dtype="int16")
    spoken: Samples = (np.tile(samples, 3)[: round(seconds * rate)] * gain).astype(np.int16)
    return spoken, rate


def through(samples: Samples, rate: int, target: float, block: int) -> Samples:
    loudness = Loudness(target)
    out = [
        levelled
        for at in range(0, len(samples), block)
        for levelled in loudness.push(Pcm(samples[at : at + block], rate))
    ]
    out += loudness.flush()
    return np.concatenate([one.samples for one in out])


@pytest.mark.parametrize("gain", [1.4, 0.2, 0.01])
@pytest.mark.parametrize("target", [-16.0, -23.0])
def test_speech_comes_out_at_the_target(gain: float, target: float) -> None:
    samples, rate = speech(6.0, gain)
    levelled = through(samples, rate, target, 16_000)
    loudness, peak = measured(levelled, rate)
    assert len(levelled) == len(samples)
    assert loudness == pytest.approx(target, abs=1.0)
    assert peak <= TRUE_PEAK + 0.3


@pytest.mark.parametrize("seconds", [0.05, 1.0, 2.9])
def test_a_short_sound_is_judged_as_a_whole(seconds: float) -> None:
    samples, rate = speech(seconds, 0.2)
    levelled = through(samples, rate, -16.0, 4_000)
    assert len(levelled) == len(samples)
    if seconds >= 1:
        loudness, peak = measured(levelled, rate)
        # Its peaks are not limited but kept below: then it stays quieter.
        assert loudness == pytest.approx(-16.0, abs=1.5) or (
            loudness < -16 and peak == pytest.approx(TRUE_PEAK, abs=0.5)
        )


def test_silence_stays_silence() -> None:
    silence = np.zeros(80_000, dtype=np.int16)
    assert np.abs(through(silence, 16_000, -16.0, 16_000)).max() <= 1


def test_after_a_clear_another_sound_begins() -> None:
    loudness = Loudness(-16.0)
    loudness.push(Pcm(np.ones(100, dtype=np.int16), 16_000))
    loudness.clear()
    assert loudness.flush() == []
    assert loudness.push(Pcm(np.zeros(0, dtype=np.int16), 8_000)) == []
