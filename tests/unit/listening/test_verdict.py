"""What came back on a track, laid over what was sent: made sounds, and what rooms do to them."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from mouthpiece.listening.envelope import FRAME
from mouthpiece.listening.verdict import TOLERANCE, Verdict, is_audible, judge
from tests.sounds import Tone
from tests.unit.listening.rooms import (
    RATE,
    Samples,
    as_samples,
    coded,
    delayed,
    heard,
    judged,
    mixed,
    noise,
    recorded,
    sent,
    silence,
    stretched,
    words,
)

SEEDS = range(6)


def tone(seconds: float) -> Samples:
    return np.asarray(Tone(seconds).samples, dtype=np.int16)


@pytest.mark.parametrize("lag", [None, 0.4])
@pytest.mark.parametrize("seconds", [0.6, 1.0, 3.0, 20.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_sound_that_comes_back_is_heard_at_its_lag(seed: int, seconds: float, lag: float | None) -> None:
    sound = words(seconds, seed)
    judgement = judged(sound, delayed(sound, 0.4), lag)
    assert judgement.verdict is Verdict.HEARD
    assert judgement.lag == pytest.approx(0.4, abs=2 * FRAME)


@pytest.mark.parametrize("seconds", [1.0, 3.0, 20.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_neither_opus_nor_a_jitter_buffer_nor_gain_nor_hiss_hides_it(seed: int, seconds: float) -> None:
    sound = words(seconds, seed)
    back = as_samples(coded(stretched(sound, seed), seed) * 0.2)
    track = mixed(delayed(back, 0.3), noise(seconds + 1.3, -62.0))
    assert judged(sound, track, 0.35).verdict is Verdict.HEARD


@pytest.mark.parametrize("name", ["hello_world_16kHz.wav", "lighthouse_16kHz.wav"])
def test_a_recorded_voice_is_heard(name: str) -> None:
    sound = recorded(name)
    track = mixed(delayed(coded(stretched(sound)), 0.25), noise(len(sound) / RATE + 1.2, -55.0))
    assert judged(sound, track).verdict is Verdict.HEARD


@pytest.mark.parametrize("seconds", [0.6, 4.0])
def test_a_steady_tone_is_known_by_its_beginning_and_its_end(seconds: float) -> None:
    assert judged(tone(seconds), delayed(tone(seconds), 0.2)).verdict is Verdict.HEARD
    assert judged(tone(seconds), delayed(tone(seconds + 0.4), 0.2)).verdict is Verdict.CANNOT_TELL


def test_a_sound_that_begins_with_a_long_silence_is_heard_where_it_begins() -> None:
    sound = np.concatenate((silence(6.0), words(2.0)))
    judgement = judged(sound, delayed(sound, 0.3))
    assert (judgement.verdict, judgement.lag) == (Verdict.HEARD, pytest.approx(0.3, abs=2 * FRAME))


@pytest.mark.parametrize("missing", [0.3, 0.5])
def test_a_beginning_that_we_subscribed_too_late_for_may_be_missing_at_our_end(missing: float) -> None:
    sound = words(3.0)
    track = heard(delayed(sound, 0.2))
    track[: round((0.2 + missing - 0.05) / FRAME)] = np.nan
    judgement = judge(sent(sound), track)
    assert judgement is not None
    assert judgement.verdict is Verdict.HEARD
    track[: round(1.5 / FRAME)] = np.nan
    judgement = judge(sent(sound), track)
    assert judgement is not None
    assert judgement.verdict is Verdict.NOT_LISTENED


@pytest.mark.parametrize("lag", [None, 0.4])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_sound_that_breaks_off_is_cut_where_it_does(seed: int, lag: float | None) -> None:
    sound = words(6.0, seed)
    back = coded(sound[: round(3.5 * RATE)], seed)
    judgement = judged(sound, delayed(back, 0.4, 3.5), lag)
    assert judgement.verdict is Verdict.CUT
    assert judgement.position <= 3.5 + 2 * FRAME
    assert judgement.position == pytest.approx(3.5, abs=0.55)  # it may break off in a pause


@pytest.mark.parametrize("seconds", [0.6, 3.0, 20.0])
@pytest.mark.parametrize("background", [None, -58.0, -45.0])
def test_a_track_that_stays_silent_or_hisses_is_unheard(seconds: float, background: float | None) -> None:
    track = silence(seconds + 3) if background is None else noise(seconds + 3, background)
    assert judged(words(seconds), track).verdict is Verdict.UNHEARD


@pytest.mark.parametrize("missing", [0.3, 0.6, 0.9])
def test_a_track_that_stays_silent_is_unheard_although_we_subscribed_too_late_for_the_beginning(missing: float) -> None:
    track = heard(silence(4.1))
    track[: round(missing / FRAME)] = np.nan
    judgement = judge(sent(words(1.6)), track)
    assert judgement is not None
    assert judgement.verdict is Verdict.UNHEARD


def test_of_a_silent_track_that_came_too_late_nothing_is_known() -> None:
    track = heard(silence(4.1))
    track[: round(1.3 / FRAME)] = np.nan
    judgement = judge(sent(words(1.6)), track)
    assert judgement is not None
    assert judgement.verdict is Verdict.NOT_LISTENED


@pytest.mark.parametrize("lag", [None, 0.2])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_sound_whose_end_does_not_come_is_cut_although_its_beginning_was_missed(seed: int, lag: float | None) -> None:
    sound = words(1.8, seed)
    track = heard(delayed(coded(sound[: round(0.9 * RATE)], seed), 0.2, 3.0))
    track[: round(0.6 / FRAME)] = np.nan
    judgement = judge(sent(sound), track, lag=lag)
    assert judgement is not None
    assert judgement.verdict is Verdict.CUT
    assert 0.4 <= judgement.position <= 0.9 + 2 * FRAME


@pytest.mark.parametrize("late", [0.2, 0.9, 1.3])
@pytest.mark.parametrize("lag", [None, 0.2])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_sound_with_a_hole_that_begins_late_and_breaks_off_was_heard_no_further_than_it_came(
    seed: int, lag: float | None, late: float
) -> None:
    sound = words(3.0, seed)
    back = coded(sound[:RATE], seed)
    back[round(0.3 * RATE) : round(0.55 * RATE)] = 0
    judgement = judged(sound, delayed(back, late, 5.0), lag)
    assert judgement.verdict in (Verdict.CUT, Verdict.CANNOT_TELL)
    if judgement.verdict is Verdict.CUT:
        assert 0.7 <= judgement.position <= 1.0 + 2 * FRAME


@pytest.mark.parametrize("seed", SEEDS)
def test_the_rest_of_a_sound_that_comes_very_late_is_waited_for(seed: int) -> None:
    sound = words(2.4, seed)
    track = heard(delayed(sound, 1.4, 1.0))
    assert judge(sent(sound), track[: round(2.9 / FRAME)]) is None
    judgement = judge(sent(sound), track)
    assert judgement is not None
    assert (judgement.verdict, judgement.lag) == (Verdict.HEARD, pytest.approx(1.4, abs=2 * FRAME))


def test_a_silent_track_is_given_the_time_that_an_avatar_takes_to_begin() -> None:
    sound = words(0.6)
    assert judge(sent(sound), heard(silence(1.2))) is None
    assert judge(sent(sound), heard(silence(1.2)), lag=0.3) is not None


@pytest.mark.parametrize(
    "sound",
    [words(0.4), silence(3.0), noise(3.0, -65.0), np.concatenate((silence(2), tone(0.1), silence(2)))],
    ids=["short", "silent", "inaudible", "a click"],
)
@pytest.mark.parametrize("comes", [True, False])
def test_what_is_short_or_silent_in_itself_proves_nothing(sound: Samples, comes: bool) -> None:
    assert judged(sound, delayed(sound if comes else silence(4), 0.2)).verdict is Verdict.CANNOT_TELL


@pytest.mark.parametrize("lag", [None, 0.4])
@pytest.mark.parametrize("seconds", [1.0, 3.0, 20.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_another_voice_beside_ours_or_in_its_place_proves_nothing(seed: int, seconds: float, lag: float | None) -> None:
    sound, other = words(seconds, seed), words(seconds + 1.4, seed + 100)
    assert judged(sound, mixed(delayed(sound, 0.4), other), lag).verdict is Verdict.CANNOT_TELL
    assert judged(sound, other, lag).verdict is Verdict.CANNOT_TELL


@pytest.mark.parametrize("missed", [0.2, 0.4])
@pytest.mark.parametrize("seed", [0, 3, 4, 5])  # the other voice makes no pause around ours
def test_another_voice_is_waited_for_where_little_is_known_of_what_is_around_ours(seed: int, missed: float) -> None:
    sound, other = words(2.4, seed), as_samples(words(4.0, seed + 100) * 0.2)
    for track, expected in (
        (mixed(delayed(sound, 0.3, 1.3), other), Verdict.CANNOT_TELL),
        (delayed(sound, 0.3, 1.3), Verdict.HEARD),
    ):
        levels = heard(track)
        levels[: round(missed / FRAME)] = np.nan
        looks = (judge(sent(sound), levels[:count], lag=0.3, final=False) for count in range(len(levels)))
        judgement = next((found for found in looks if found), None) or judge(sent(sound), levels, lag=0.3)
        assert judgement is not None
        assert judgement.verdict is expected


@pytest.mark.parametrize("seed", SEEDS)
def test_another_voice_up_to_the_first_write_proves_nothing_even_where_it_is_steady_under_ours(seed: int) -> None:
    sound = words(2.0, seed)
    track = mixed(delayed(sound, 0.2, 0.4), noise(2.6, -40.0))
    for other, expected in ((words(1.0, seed + 100), Verdict.CANNOT_TELL), (noise(1.0, -40.0), Verdict.HEARD)):
        judgement = judge(sent(sound), heard(track), lag=0.2, before=heard(other))
        assert judgement is not None
        assert judgement.verdict is expected


def test_silence_on_the_track_before_a_sound_saves_the_wait_for_silence_after_it() -> None:
    sound = words(2.0)
    levels = heard(delayed(sound, 0.2, 0.3))
    judged_early = partial(judge, sent(sound), levels, lag=0.2, final=False)
    assert judged_early() is None
    judgement = judged_early(before=heard(silence(1.0)))
    assert judgement is not None
    assert judgement.verdict is Verdict.HEARD


@pytest.mark.parametrize(
    ("later", "expected"),
    [(silence(1.5), Verdict.HEARD), (words(1.5, 9), Verdict.CANNOT_TELL)],
    ids=["silence", "voice"],
)
def test_what_is_too_little_to_be_another_voice_is_followed_until_that_is_known(
    later: Samples, expected: Verdict
) -> None:
    sound = words(2.0)
    track = np.concatenate((delayed(sound, 0.2, 0.2), as_samples(tone(0.08) * 0.014), silence(0.1)))
    assert judge(sent(sound), heard(track), lag=0.2) is None
    judgement = judge(sent(sound), heard(np.concatenate((track, later))), lag=0.2)
    assert judgement is not None
    assert judgement.verdict is expected
    # Where the next sound follows, nothing more can be known.
    followed = judge(sent(sound), heard(track), lag=0.2, alone_until=len(heard(track)) * FRAME)
    assert followed is not None
    assert followed.verdict is Verdict.HEARD


def test_another_voice_before_and_after_ours_proves_nothing() -> None:
    sound = words(2.0)
    track = np.concatenate((words(1.0, 7), sound, words(1.0, 8)))
    assert judged(sound, track, 1.0).verdict is Verdict.CANNOT_TELL


def test_in_a_loop_the_next_one_that_follows_at_once_does_not_lengthen_this_one() -> None:
    sound = words(2.0)
    track = np.concatenate((silence(0.3), sound, silence(0.06), sound))
    assert judged(sound, track, 0.3, alone_until=2.2).verdict is Verdict.HEARD
    assert judged(sound, track, 0.3).verdict is Verdict.CANNOT_TELL


def test_in_a_loop_one_that_was_not_played_is_not_taken_for_the_one_before() -> None:
    sound = words(2.0)
    tail = np.concatenate((sound[-round(0.2 * RATE) :], silence(4.0)))
    assert judged(sound, tail, 0.3).verdict is not Verdict.HEARD


def test_nothing_is_said_before_the_sound_has_come_whole_and_then_at_once() -> None:
    sound = words(3.0)
    track, lag = delayed(sound, 0.3), 0.3
    needed = 3.0 + lag + TOLERANCE + 2 * FRAME
    judged_early = partial(judge, sent(sound), lag=lag, before=heard(silence(1.0)), final=False)
    assert judged_early(heard(track[: round((needed - 0.1) * RATE)])) is None
    in_time = judged_early(heard(track[: round((needed + 0.05) * RATE)]))
    assert in_time is not None
    assert in_time.verdict is Verdict.HEARD


def test_a_track_of_which_little_came_proves_nothing() -> None:
    track = heard(silence(6.0))
    track[50:200] = np.nan
    judgement = judge(sent(words(3.0)), track)
    assert judgement is not None
    assert judgement.verdict is Verdict.NOT_LISTENED


@pytest.mark.parametrize("missing", [0.2, 0.45])
def test_nothing_is_said_of_a_sound_whose_end_has_not_come(missing: float) -> None:
    sound = words(3.0)
    track = heard(delayed(sound, 0.3)[: round((3.3 - missing) * RATE)])
    assert judge(sent(sound), track, lag=0.3) is None


@pytest.mark.parametrize("seed", SEEDS)
def test_a_track_that_is_as_loud_all_along_as_what_was_sent_does_not_prove_that_nothing_was_said(seed: int) -> None:
    sound = words(1.0, seed)
    track = noise(4.5, 20 * np.log10(np.sqrt(np.mean(sound.astype(float) ** 2)) / 32_768))
    assert judged(sound, track).verdict is Verdict.CANNOT_TELL


@pytest.mark.parametrize("hiss", [None, -45.0])
def test_a_track_is_audible_once_it_is_known_for_long_enough_and_never_while_it_only_hisses(
    hiss: float | None,
) -> None:
    for sound in (words(6.0), tone(6.0)):
        track = heard(delayed(sound, 0.2))
        track[: round(0.5 / FRAME)] = np.nan
        assert [is_audible(sent(sound), track[: round(at / FRAME)]) for at in (1.5, 3.0, 6.0)] == [False, True, True]
        quiet = heard(silence(6.0) if hiss is None else noise(6.0, hiss))
        quiet[: round(0.5 / FRAME)] = np.nan
        for begins in (0.0, 2.5):
            levels = sent(np.concatenate((silence(begins), sound)))
            upto = [round(at / FRAME) for at in (1.5, 2.4, 3.0, 6.0)]
            assert not any(is_audible(levels[:count], quiet[:count]) for count in upto)
