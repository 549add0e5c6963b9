"""The demo's check: the sound and picture of one spoken file that reached a viewer, compared with the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from mouthpiece_sender.demo.viewer import FRAME, LOUD, Picture, Sound, loudness

FIRST_SOUND_WITHIN = 2.0
"""Seconds."""
LENGTH_WITHIN = 0.25
"""Seconds by which the sound heard may differ from the file: the audio codec smears an onset by some frames."""
POSITION_WITHIN = 0.1
"""Seconds."""
FRAMES_A_SECOND = (15.0, 35.0)
"""The avatar draws 25. A small machine that runs everything, the viewer too, may fall behind; and a viewer whose first
pictures came late gets more until it has caught up: 30 over three seconds, after every service was restarted."""
MOVING_SHARE = 0.1
"""The share of the pictures received during the sound that must differ from the one before."""

BORNE_OUT = ("confirmed", "heard")
"""Receipts by which a segment was played: our avatar's own word, or what the track of another one bears out."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """The segment as the sender's API returned it."""

    state: str
    receipt: str
    position: float
    """Seconds."""
    duration: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Perceived:
    """The sound and picture that a viewer received during the segment."""

    first_sound: float | None
    """Seconds from the request to the first sound."""
    heard: float
    """Seconds from the first sound to the last."""
    frames_a_second: float
    moving: float
    """Share of the pictures that differ from the one before."""


@dataclass(frozen=True, slots=True)
class Sounding:
    """Where the sound in a file is, by the viewer's own threshold; seconds."""

    silence: float
    """Before the sound."""
    length: float
    """From the beginning of the sound to its end."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the result."""

    what: str
    measured: str
    wanted: str
    good: bool


def perceive(sounds: Sequence[Sound], pictures: Sequence[Picture], asked: float) -> Perceived:
    """Summarize what reached the viewer since ``asked`` (monotonic seconds)."""
    since = [sound for sound in sounds if sound.at >= asked]
    loud = [index for index, sound in enumerate(since) if sound.loud]
    if not loud:
        return Perceived(None, 0.0, 0.0, 0.0)
    first, last = loud[0], loud[-1]
    times = [picture.at for picture in pictures if since[first].at <= picture.at <= since[last].at]
    moving = [picture.moved for picture in pictures if since[first].at <= picture.at <= since[last].at]
    return Perceived(
        first_sound=since[first].at - asked,
        heard=(last - first + 1) * FRAME,
        frames_a_second=(len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0,
        moving=sum(moving) / len(moving) if moving else 0.0,
    )


def sounding(path: Path) -> Sounding:
    """Find the sound in a file that libsndfile reads."""
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    frames = np.array_split(samples.mean(axis=1).astype(np.int16), max(1, round(len(samples) / rate / FRAME)))
    loud = [index for index, frame in enumerate(frames) if loudness(frame) >= LOUD]
    return Sounding(loud[0] * FRAME, (loud[-1] - loud[0] + 1) * FRAME) if loud else Sounding(0.0, 0.0)


def judge(perceived: Perceived, spoken: Spoken, file: Sounding) -> list[Finding]:
    """Compare what the viewer received, and what the API returned, with the file."""
    slowest, fastest = FRAMES_A_SECOND
    first = None if perceived.first_sound is None else perceived.first_sound - file.silence
    return [
        Finding(
            "first sound",
            "none" if first is None else f"{first * 1000:.0f} ms after the request",
            f"within {FIRST_SOUND_WITHIN:g} s; silence in the file not counted",
            first is not None and first <= FIRST_SOUND_WITHIN,
        ),
        Finding(
            "sound heard",
            f"{perceived.heard:.2f} s of {file.length:.2f} s",
            f"to within {LENGTH_WITHIN:g} s",
            file.length > 0 and abs(perceived.heard - file.length) <= LENGTH_WITHIN,
        ),
        Finding(
            "pictures",
            f"{perceived.frames_a_second:.1f} a second",
            f"{slowest:g} to {fastest:g}",
            slowest <= perceived.frames_a_second <= fastest,
        ),
        Finding(
            "moving",
            f"{perceived.moving:.0%} of them",
            f"at least {MOVING_SHARE:.0%}",
            perceived.moving >= MOVING_SHARE,
        ),
        Finding("segment", spoken.state, "finished", spoken.state == "finished"),
        Finding("receipt", spoken.receipt, " or ".join(BORNE_OUT), spoken.receipt in BORNE_OUT),
        Finding(
            "position",
            f"{spoken.position:.2f} s of {spoken.duration:.2f} s",
            f"to within {POSITION_WITHIN:g} s",
            abs(spoken.position - spoken.duration) <= POSITION_WITHIN,
        ),
    ]


def report(findings: Sequence[Finding]) -> list[str]:
    """Return the findings as lines for a terminal."""
    return [
        f"  {'ok ' if finding.good else 'BAD'}  {finding.what:<12} {finding.measured:<28} (wanted: {finding.wanted})"
        for finding in findings
    ]
