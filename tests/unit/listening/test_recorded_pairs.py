"""Pairs that were recorded in a room of a real livekit-server: a stock receiver, or the conformance avatar with a
fault, played onto a track, and the sender listened. ``recorded_pairs.npz`` holds, for each, the levels that were sent
and those of the track from the first write on; the tests of listening in ``tests/live/sender/`` make such pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mouthpiece.listening.envelope import FRAME, Levels
from mouthpiece.listening.verdict import Verdict, judge

with np.load(Path(__file__).with_name("recorded_pairs.npz")) as _file:
    PAIRS = {
        name.removesuffix("-sent"): (_file[name], _file[name.replace("-sent", "-track")])
        for name in _file.files
        if name.endswith("-sent")
    }
HEARD = [pair for name, pair in PAIRS.items() if name.startswith("heard")]
CUT = [pair for name, pair in PAIRS.items() if name.startswith("cut")]
OTHER = [pair for name, pair in PAIRS.items() if name.startswith("other")]
UNHEARD = [pair for name, pair in PAIRS.items() if name.startswith("unheard")]


def verdict(sent: Levels, track: Levels, lag: float | None = None) -> Verdict:
    judgement = judge(sent, track, lag=lag)
    assert judgement is not None
    return judgement.verdict


@pytest.mark.parametrize(("sent", "track"), HEARD)
@pytest.mark.parametrize("lag", [None, 0.1, 0.3])
def test_what_a_real_room_brought_back_is_heard(sent: Levels, track: Levels, lag: float | None) -> None:
    assert verdict(sent, track, lag) is Verdict.HEARD


@pytest.mark.parametrize(("sent", "track"), UNHEARD)
def test_a_real_track_on_which_nothing_was_said_is_unheard(sent: Levels, track: Levels) -> None:
    assert verdict(sent, track) is Verdict.UNHEARD


@pytest.mark.parametrize(("sent", "track"), CUT)
def test_a_real_track_that_stalled_after_a_second_is_cut_there(sent: Levels, track: Levels) -> None:
    for heard in (track, np.concatenate((track, HEARD[0][1]))):
        judgement = judge(sent, heard, alone_until=len(track) * FRAME)
        assert judgement is not None
        assert judgement.verdict is Verdict.CUT
        assert judgement.position == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize(("sent", "track"), OTHER)
@pytest.mark.parametrize("lag", [None, 0.2])
def test_a_real_track_with_another_voice_beside_ours_proves_nothing(
    sent: Levels, track: Levels, lag: float | None
) -> None:
    assert verdict(sent, track, lag) is Verdict.CANNOT_TELL


@pytest.mark.parametrize("index", range(len(HEARD)))
@pytest.mark.parametrize("lag", [None, 0.1])
def test_what_was_said_is_not_taken_for_another_sound(index: int, lag: float | None) -> None:
    sent = HEARD[index][0]
    for other, track in HEARD:
        if other.shape != sent.shape or not np.array_equal(other, sent):
            longer = np.pad(track, (0, max(0, len(sent) + 25 - len(track))))
            assert verdict(sent, longer, lag) is not Verdict.HEARD


@pytest.mark.parametrize(("sent", "track"), [pair for pair in HEARD if len(pair[0]) * FRAME >= 2.0])
def test_a_real_track_that_falls_silent_is_cut_there(sent: Levels, track: Levels) -> None:
    silent = np.concatenate((track, np.zeros(25, dtype=np.float32)))
    silent[round(1.3 / FRAME) :] = 0.0
    judgement = judge(sent, silent)
    assert judgement is not None
    assert judgement.verdict is Verdict.CUT
    assert judgement.position <= 1.3
