"""The form in which Anam takes sound, and when it has played."""

from __future__ import annotations

import numpy as np
import pytest

from mouthpiece.pcm import Pcm
from mouthpiece_sender.anam.passthrough import Playout, sent_rate, transforms


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 44_100, 48_000])
def test_rates_that_anam_takes_stay_as_they_are(rate: int) -> None:
    assert sent_rate(rate) == rate


@pytest.mark.parametrize("rate", [8_000, 11_025, 15_999, 48_001, 96_000, 192_000])
def test_other_rates_become_the_one_that_anam_advises(rate: int) -> None:
    assert sent_rate(rate) == 24_000


@pytest.mark.parametrize("block", [1, 77, 4_800, 48_000])
def test_chunks_are_half_a_second_and_together_the_sound_however_it_came(block: int) -> None:
    samples = np.arange(60_001, dtype=np.int64).astype(np.int16)
    chain = transforms(24_000)
    chunks = [out for at in range(0, len(samples), block) for out in chain.push(Pcm(samples[at : at + block], 24_000))]
    chunks += chain.flush()
    assert [chunk.frames for chunk in chunks] == [12_000] * 5 + [1]
    assert np.array_equal(np.concatenate([chunk.samples for chunk in chunks]), samples)


def test_stereo_becomes_mono() -> None:
    chain = transforms(16_000)
    stereo = Pcm(np.array([[100] * 8_000, [300] * 8_000], dtype=np.int16), 16_000)
    (chunk,) = [*chain.push(stereo), *chain.flush()]
    assert (chunk.channels, chunk.frames, set(chunk.samples.tolist())) == (1, 8_000, {200})


def test_what_is_pushed_at_once_plays_for_its_length() -> None:
    playout = Playout()
    assert (playout.position(5.0), playout.ends) == (0.0, None)
    for push in range(4):
        playout.pushed(10.0 + push / 100, 0.5)
    assert playout.ends == 12.0
    assert [playout.position(at) for at in (10.0, 11.5, 12.0, 99.0)] == [0.0, 1.5, 2.0, 2.0]


def test_what_is_pushed_after_a_pause_plays_from_then_on() -> None:
    playout = Playout()
    playout.pushed(10.0, 0.5)
    playout.pushed(20.0, 0.5)
    assert playout.ends == 20.5
    assert [playout.position(at) for at in (20.0, 20.25, 21.0)] == [0.5, 0.75, 1.0]
