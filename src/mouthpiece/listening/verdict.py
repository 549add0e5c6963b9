"""What an avatar's audio track proves about one attempt."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from mouthpiece.listening.comparison import MARGIN, SILENT, STANDS_OUT, Frames, Loudness, Overlay, overlay
from mouthpiece.listening.envelope import FRAME, Levels, frames

CORRELATION: Final = 0.6
"""From here on what came back is what was sent, at the avatar's own lag."""
CORRELATION_ELSEWHERE: Final = 0.8
"""The same at any other lag: among many, one may fit by chance."""
WITHIN: Final = 0.6
"""The same without the silence around the sound: another sound of the same length has that too."""
WITHIN_SHORT: Final = 0.75
"""The same for a sound shorter than ``FEW`` seconds, whose few syllables may fit by chance."""
FEW: Final = 2.0
"""Seconds."""
TOLERANCE: Final = 0.15
"""Seconds by which the durations may differ."""
SHORTEST: Final = 0.5
"""Seconds of sound, from the first to the last that is loud; less can look like anything."""
AROUND: Final = 0.3
"""Seconds around the avatar's own lag in which the sound may begin."""
USUAL_LAG: Final = 0.2
"""Seconds from a write to the sound on the track, where the avatar's own lag is not known."""
LATEST: Final = 3.0
"""Seconds after its first write in which a sound may begin at an avatar whose lag is not known."""
SILENT_FOR: Final = 2.0
"""Seconds in which an avatar whose lag is not known must have begun, or it said nothing."""
SILENT_BEYOND: Final = 0.7
"""The same beyond the lag of one that was heard before."""
BELOW: Final = 12.0
"""Decibels by which a steady noise is below what was sent: what is louder may be the sound itself, badly broken."""
LOUD_ENOUGH: Final = -30.0
"""Decibels below full scale from which a steady track may be the sound itself and no noise."""
CUT: Final = 0.25
"""Seconds by which the end must be missing for a sound to have been cut."""
STRANGE: Final = 0.1
"""Seconds of sound where nothing was sent, from which another one may speak on the track too, if they are
``STRANGE_SHARE`` of what is known there."""
STRANGE_SHARE: Final = 0.2
AROUND_KNOWN: Final = 1.0
"""Seconds around the sound that must be known before it is said at once that it was heard: the pauses between
another's syllables are shorter."""
AROUND_IN_DOUBT: Final = 1.5
"""The same, however long it takes, where something was heard around it that is too little to be another voice: after
what was only smeared on its way there is silence."""
PAUSE: Final = 0.3
"""Seconds of silence after which a sound is taken to have ended."""
MISSED: Final = 0.5
"""Seconds of the sound that may be missing at our end: a subscription takes so long."""
SETTLING: Final = 1.2
"""Seconds that a subscription takes until its packets come evenly."""
SMEAR: Final = 0.06
"""Seconds by which sound spreads on its way through Opus and a room's jitter buffers."""


class Verdict(enum.Enum):
    HEARD = "heard"
    """All of it."""
    CUT = "cut"
    """It broke off: ``Judgement.position`` says where."""
    UNHEARD = "unheard"
    """The track stayed silent."""
    CANNOT_TELL = "cannot-tell"
    """Too short, silent in itself, or something else was on the track."""
    NOT_LISTENED = "not-listened"
    """Too little of the track came."""


@dataclass(frozen=True, slots=True)
class Judgement:
    verdict: Verdict
    lag: float | None = None
    """Seconds from the first write to the sound on the track, where it was found."""
    position: float = 0.0
    """Seconds of what was sent, up to which it was heard; with ``CUT`` alone."""


def judge(
    sent: Levels,
    heard: Levels,
    *,
    lag: float | None = None,
    before: Levels | None = None,
    alone_until: float = float("inf"),
    final: bool = True,
) -> Judgement | None:
    """Return what ``heard`` proves about ``sent``; None while what is still to come may change that.

    :param sent: the levels of the whole attempt (:class:`~mouthpiece.listening.envelope.SentEnvelope`).
    :param heard: the levels of the track from the first write on.
    :param lag: seconds, the avatar's own; None: not known yet.
    :param before: the levels of the track up to the first write, while nothing of ours can have been on it.
    :param alone_until: seconds after the first write from which the sound that follows may be on the track too.
    :param final: nothing more is waited for. (A track that stayed silent is waited for nevertheless, until the sound
        would have begun at the latest, and so is the rest where a sound goes on that is not as long as ours yet: a
        jitter buffer delays the first ones of an avatar by a second and more. So is silence around a sound beside
        which something was heard.)
    """
    loudness = Loudness.of(np.pad(sent, frames(MARGIN)))
    sound = replace(loudness, contour=loudness.contour[frames(MARGIN) : len(sent) + frames(MARGIN)])
    if not sound.stands_out or _length(sound.active()) * FRAME < SHORTEST:
        return Judgement(Verdict.CANNOT_TELL)
    track = Loudness.of(heard)
    if not track.stands_out or _settles(heard, track):
        begins = int(np.argmax(sound.active())) * FRAME
        until = begins + (SILENT_FOR if lag is None else lag + SILENT_BEYOND)
        return _silent(sound, track, heard, until) if final else None
    behind = frames(TOLERANCE) + 1
    if not final and len(heard) < len(sent) + frames(lag or 0.0) + behind:
        return None
    limit = len(heard) if alone_until == float("inf") else frames(alone_until)
    for lags, enough in _searches(lag):
        over = overlay(sound, track, lags, limit)
        if over is None or (not final and len(heard) < len(sent) + over.lag_at_end + behind):
            continue
        if found := _borne_out(over, enough):
            known, strange = _around(over, track, limit)
            if before is not None:
                # Above the quietest of both: under the sound another voice may be taken for its background.
                earlier = Loudness.of(np.concatenate((before, heard))).contour[: len(before)]
                known, strange = known + int((~np.isnan(earlier)).sum()), strange + int((earlier > STANDS_OUT).sum())
            if _another_speaks(known, strange):
                return Judgement(Verdict.CANNOT_TELL)
            needed = AROUND_IN_DOUBT if strange else 0.0 if final else AROUND_KNOWN
            return None if known < frames(needed) and len(heard) * FRAME < alone_until else found
    if not final:
        return None
    if found := _broken_off(sound, track, limit) or _without_end(sound, track, limit, lag):
        return found
    if alone_until == float("inf") and _goes_on(sound, track):
        return None
    missed = int(np.isnan(heard[: len(sent)]).sum()) + max(0, len(sent) - len(heard))
    return Judgement(Verdict.NOT_LISTENED if missed * FRAME > _may_be_missed(len(sent)) else Verdict.CANNOT_TELL)


def is_audible(sent: Levels, heard: Levels) -> bool:
    """Return whether it is known already, while a sound plays, that its track is not silent: there is more on it than
    silence and a steady noise (while a subscription begins a noise looks like sound), or it is about as loud as a sound
    that is loud.

    :param sent: the levels of what should be on the track.
    :param heard: the levels of the track in the same time.
    """
    if (~np.isnan(heard)).sum() * FRAME < SETTLING + SHORTEST:
        return False
    track = Loudness.of(heard)
    loudest = Loudness.of(sent).loudest
    as_loud = loudest >= LOUD_ENOUGH and track.loudest >= loudest - BELOW
    return as_loud or (track.stands_out and not _settles(heard, track))


def _searches(lag: float | None) -> list[tuple[range, float]]:
    """Return where to look for the sound, in frames, and the correlation that is enough there."""
    everywhere = (range(frames(LATEST)), CORRELATION_ELSEWHERE)
    if lag is None:
        return [everywhere]
    return [(range(max(0, frames(lag - AROUND)), frames(lag + AROUND) + 1), CORRELATION), everywhere]


def _settles(heard: Levels, track: Loudness) -> bool:
    """Whether only the beginning of a subscription, when packets are missing, makes a noise look like sound."""
    known = int(np.argmax(~np.isnan(heard)))
    later = Loudness.of(heard[known + frames(SETTLING) :])
    enough = len(later.contour) * FRAME >= SHORTEST
    return enough and later.loudest >= SILENT and not later.stands_out and track.loudest <= later.loudest + 3.0


def _silent(sound: Loudness, track: Loudness, heard: Levels, until: float) -> Judgement | None:
    """The track was silent, or had a steady noise on it, which covers no sound that has pauses around it or in it.

    :param track: the loudness of ``heard``.
    :param until: seconds after the first write at which the sound must have begun.
    """
    known = ~np.isnan(heard)
    if len(heard) < frames(until):
        return None
    since = int(np.argmax(known))
    if known[since:].mean() < 0.9 or _length(sound.active()[since:]) * FRAME < SHORTEST:
        return Judgement(Verdict.NOT_LISTENED)
    pauses = (~sound.active()).sum() + max(0, len(heard) - len(sound.contour))
    silent = track.loudest < SILENT or pauses * FRAME >= SHORTEST
    if silent and track.loudest < sound.loudest - BELOW:
        return Judgement(Verdict.UNHEARD)
    return Judgement(Verdict.CANNOT_TELL)


def _borne_out(over: Overlay, enough: float) -> Judgement | None:
    """Return that it was heard, if it was."""
    known = over.known
    sent, heard = over.sent_active & known, over.heard_active
    first, end = int(np.argmax(known)), _last(over.sent_active) - frames(SMEAR)
    missed = int(over.sent_active[:first].sum()) * FRAME
    if missed > _may_be_missed(len(over.sent)) or not known[first:end].all() or _length(sent) * FRAME < SHORTEST:
        return None
    within = WITHIN_SHORT if _length(sent) * FRAME < FEW else WITHIN
    if over.correlation() < enough or over.correlation_within < within:
        return None
    if abs(_length(sent) - _length(heard)) * FRAME > TOLERANCE + FRAME / 2:
        return None
    return Judgement(Verdict.HEARD, over.lag * FRAME)


def _broken_off(sound: Loudness, track: Loudness, limit: int) -> Judgement | None:
    """Return where the sound broke off, if it did: what came is its beginning, and then there was silence. A jitter
    buffer may have stretched what came, or left some out."""
    track = replace(track, contour=track.contour[:limit])
    active, came = sound.active(), track.active()
    length = _length(came)
    by_length, within = int(np.argmax(active)) + length, frames(SMEAR)
    for position in sorted(range(by_length - within, by_length + within + 1), key=lambda at: abs(at - by_length)):
        missing = _last(active) - position
        after = track.contour[_last(came) + 1 : _last(came) + 1 + missing]
        if missing * FRAME <= CUT or length * FRAME < SHORTEST or len(after) < missing or np.isnan(after).any():
            continue
        over = overlay(replace(sound, contour=sound.contour[:position]), track, range(frames(LATEST)), limit)
        if over is None or _borne_out(over, CORRELATION) is None:
            continue
        if _another_speaks(*_around(over, track, limit)):
            return None
        return Judgement(Verdict.CUT, over.lag * FRAME, position * FRAME)
    return None


def _without_end(sound: Loudness, track: Loudness, limit: int, lag: float | None) -> Judgement | None:
    """Return where the sound broke off, if what came of it is too little to be told by (the subscription missed its
    beginning, or there is a hole in it), but its end did not come for certain: there was silence instead, whatever the
    lag. The position is no later than that of the lag, and no more than what came: an avatar may begin late."""
    active, came = sound.active(), track.active()[:limit]
    last = _last(came)
    missing = _last(active) - last  # without a lag; with one it is more
    after = track.contour[:limit][last + 1 : last + 1 + missing]
    if missing * FRAME < SHORTEST or len(after) < missing or np.isnan(after).any():
        return None
    position = min(last + 1 - frames(USUAL_LAG if lag is None else lag), _length(came))
    return Judgement(Verdict.CUT, position=max(0, position) * FRAME)


def _goes_on(sound: Loudness, track: Loudness) -> bool:
    """Whether the track sounds until now, and for less time than the whole of ``sound`` takes."""
    came = track.active()
    pause = len(came) - 1 - _last(came)
    return pause * FRAME <= PAUSE and _length(came) < _length(sound.active())


def _may_be_missed(count: int) -> float:
    """Return the seconds of a sound of ``count`` frames that may be missing at our end, at its beginning."""
    return max(MISSED, 0.1 * count * FRAME)


def _around(over: Overlay, track: Loudness, limit: int) -> tuple[int, int]:
    """Return how many frames are known before and after the sound and in its pauses, and in how many of them something
    is heard.

    :param limit: the frame of the track from which the sound that follows may be on it too.
    """
    spread = frames(SMEAR)
    sent = np.convolve(over.sent > 0, np.ones(2 * spread + 1), "same") > 0
    within = ~sent & over.known
    behind = over.lag_at_end + len(over.sent) - frames(MARGIN)
    after = track.contour[behind:limit]
    around = np.concatenate((over.heard[within], after[~np.isnan(after)]))
    return len(around), int((around > STANDS_OUT).sum())


def _another_speaks(known: int, strange: int) -> bool:
    """Whether another sound is on the track too, by what :func:`_around` found."""
    return strange >= frames(STRANGE) and strange >= STRANGE_SHARE * known


def _length(active: Frames) -> int:
    """Return the frames from the first to the last active one."""
    return _last(active) + 1 - int(np.argmax(active)) if active.any() else 0


def _last(active: Frames) -> int:
    return len(active) - 1 - int(np.argmax(active[::-1]))
