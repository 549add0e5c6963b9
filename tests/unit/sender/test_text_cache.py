from __future__ import annotations

import numpy as np

from mouthpiece.audio.pcm import Pcm
from mouthpiece_sender.speech.cache import SpeechCache, SpeechKey


def key(text: str, voice: str | None = None) -> SpeechKey:
    return SpeechKey(text, "offline", voice, 24_000)


def sound(frames: int = 50) -> Pcm:
    return Pcm(np.zeros(frames, np.int16), 24_000)


def test_the_same_words_in_another_voice_are_another_sound() -> None:
    cache = SpeechCache()
    kept = sound()
    cache.put(key("one"), kept)
    assert cache.get(key("one")) is kept
    assert cache.get(key("one", "other")) is None


def test_the_least_recently_used_goes_when_the_bytes_are_full() -> None:
    cache = SpeechCache(max_bytes=1000)
    for name in "abcdefghij":
        cache.put(key(name), sound())
    assert cache.get(key("a")) is not None
    cache.put(key("k"), sound())
    assert cache.get(key("b")) is None
    assert cache.get(key("a")) is not None
    assert cache.size == 1000


def test_the_number_of_entries_is_bounded() -> None:
    cache = SpeechCache(max_entries=2)
    for name in "abc":
        cache.put(key(name), sound())
    assert [kept.text for kept in cache] == ["b", "c"]


def test_one_long_sentence_does_not_empty_the_cache() -> None:
    cache = SpeechCache(max_bytes=1000)
    cache.put(key("short"), sound())
    cache.put(key("long"), sound(400))
    assert [kept.text for kept in cache] == ["short"]


def test_kept_again_counts_once() -> None:
    cache = SpeechCache()
    cache.put(key("one"), sound(10))
    cache.put(key("one"), sound(20))
    assert (len(cache), cache.size) == (1, 40)


def test_forgetting_takes_all_voices_of_a_sentence() -> None:
    cache = SpeechCache()
    cache.put(key("one"), sound())
    cache.put(key("one", "other"), sound())
    cache.put(key("two"), sound())
    cache.forget(["one", "never said"])
    assert [kept.text for kept in cache] == ["two"]
    assert cache.size == 100
