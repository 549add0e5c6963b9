"""How a sound is cut into writes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mouthpiece.audio.pcm import Pcm
from mouthpiece_sender.playout.write_buffer import DRY, FIRST, GATHERED, PATIENCE, WriteBuffer

RATE = 16_000
BLOCK = 0.02
"""Seconds of a block of sound that comes in as it is spoken."""


def noise(seconds: float, channels: int = 1, rate: int = RATE) -> Pcm:
    shape = (round(seconds * rate),) if channels == 1 else (channels, round(seconds * rate))
    return Pcm(np.random.default_rng(7).integers(-9_000, 9_000, shape).astype(np.int16), rate)


def joined(writes: list[Pcm]) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.int16), *(write.samples for write in writes)])


def lengths(writes: list[Pcm]) -> list[float]:
    return [write.duration for write in writes]


def test_the_first_write_of_what_is_there_is_short_and_the_rest_end_at_whole_quanta() -> None:
    buffer = WriteBuffer(RATE)
    assert lengths(buffer.push(noise(1.0), 0.0)) == pytest.approx([FIRST, 0.25 - FIRST, 0.25, 0.25, 0.25])
    assert lengths([*buffer.push(noise(2.25), 0.0), *buffer.flush()]) == pytest.approx([*[0.25] * 4, 0.5, 0.5, 0.25])


def test_a_receiver_whose_writes_are_long_has_a_short_first_one_too() -> None:
    assert lengths(WriteBuffer(RATE, quantum=0.5).push(noise(2.0), 0.0)) == pytest.approx([0.1, 0.4, 0.5, 0.5, 0.5])


def test_after_a_write_that_was_short_the_next_ends_at_a_whole_quantum() -> None:
    buffer = WriteBuffer(RATE)
    assert lengths(buffer.push(noise(0.2), 0.0)) == pytest.approx([0.1])
    assert lengths(buffer.give()) == pytest.approx([0.1])
    assert lengths(buffer.push(noise(0.548), 0.0)) == pytest.approx([0.05, 0.25])
    assert lengths(buffer.give()) == pytest.approx([0.248])
    assert lengths(buffer.push(noise(0.3), 0.0)) == pytest.approx([0.252])


def test_what_comes_in_as_it_is_spoken_never_lets_its_receiver_run_dry() -> None:
    """Blocks of 20 ms come one every 20 ms; played from the first write on, each sample is there before its time."""
    buffer, now, written, begun = WriteBuffer(RATE, first=GATHERED), 0.0, 0.0, None
    margins: list[float] = []
    for _ in range(500):
        now += BLOCK
        for write in buffer.push(noise(BLOCK), BLOCK):
            begun = now if begun is None else begun
            margins.append(written - (now - begun))
            written += write.duration
    assert begun == pytest.approx(GATHERED)
    assert min(margins[1:]) >= GATHERED - PATIENCE - 2 * BLOCK


def test_what_waited_its_time_is_written_however_short_and_a_beginning_waits_longer() -> None:
    buffer = WriteBuffer(RATE, first=GATHERED)
    assert buffer.patience is None
    assert buffer.push(noise(0.1), 3.0) == [], "nothing was held while it was waited for"
    assert buffer.patience == GATHERED
    assert buffer.push(noise(0.05), 0.15) == []
    assert buffer.patience == pytest.approx(0.05)
    assert lengths(buffer.push(noise(0.06), 0.04)) == pytest.approx([GATHERED])
    assert buffer.patience == PATIENCE
    assert buffer.push(noise(0.005), 0.02) == []
    assert buffer.patience == pytest.approx(0.03)
    assert lengths(buffer.push(noise(0.005), 0.03)) == pytest.approx([0.02])
    assert buffer.patience is None
    buffer.push(noise(0.01), 0.0)
    assert lengths(buffer.give()) == pytest.approx([0.01])
    assert buffer.give() == []


def test_a_beginning_that_is_followed_by_nothing_is_written_once_it_waited_as_long_as_it_gathers() -> None:
    buffer = WriteBuffer(RATE, first=GATHERED)
    buffer.push(noise(0.15), 0.0)
    assert lengths(buffer.push(noise(0.01), GATHERED)) == pytest.approx([0.16])


def test_who_wants_long_writes_gets_them_of_what_comes_slowly_too() -> None:
    buffer = WriteBuffer(RATE, quantum=0.5, first=0.5, patience=0.5)
    writes = [write for _ in range(120) for write in buffer.push(noise(BLOCK), BLOCK)]
    assert lengths(writes) == pytest.approx([0.5] * 4)


def test_what_comes_after_a_rest_is_gathered_again() -> None:
    buffer = WriteBuffer(RATE, first=GATHERED)
    buffer.push(noise(0.24), 0.0)
    assert lengths(buffer.flush()) == pytest.approx([0.04])
    assert buffer.push(noise(0.19), 0.0) == []
    assert lengths(buffer.push(noise(0.01), 0.0)) == pytest.approx([0.2])


def test_what_comes_after_its_receiver_ran_dry_is_gathered_again() -> None:
    buffer = WriteBuffer(RATE, first=GATHERED)
    assert lengths(buffer.push(noise(0.2), 0.0)) == pytest.approx([0.2])
    assert buffer.push(noise(0.04), DRY - 0.01) == []
    assert lengths(buffer.give()) == pytest.approx([0.04])
    assert buffer.push(noise(0.19), DRY) == []
    assert lengths(buffer.push(noise(0.01), 0.0)) == pytest.approx([0.2])


@given(
    st.lists(st.tuples(st.integers(0, 20_000), st.floats(0, 0.2)), max_size=12),
    st.sampled_from([FIRST, GATHERED]),
    st.sampled_from([(16_000, 1), (22_050, 1), (48_000, 2)]),
)
def test_nothing_is_lost_or_doubled_however_it_comes(
    blocks: list[tuple[int, float]], first: float, form: tuple[int, int]
) -> None:
    rate, channels = form
    sound = noise(sum(size for size, _ in blocks) / rate, channels, rate)
    buffer, whole = WriteBuffer(RATE, first=first), WriteBuffer(RATE)
    writes: list[Pcm] = []
    at = 0
    for size, waited in blocks:
        writes += buffer.push(Pcm(sound.samples[..., at : at + size], rate), waited)
        at += size
    writes += buffer.flush()
    together = [*whole.push(sound, 0.0), *whole.flush()]
    assert np.array_equal(joined(writes), joined(together))
