"""Who says what. Voices are split by synthesiser and speaker: what is tested on is never trained on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import numpy as np
from training.lips import phones, texts
from training.lips.espeak import Espeak
from training.lips.flite import festival, flite
from training.lips.neural import Hibari, Piper
from training.lips.speech import Utterance, tones

ESPEAK_ENGLISH = (
    "en-us", "en", "en-gb-scotland", "en-us+f1", "en-us+f2", "en-us+f3", "en-us+f4", "en-us+m2", "en-us+m3", "en-us+m6",
    "en+f5", "en+m7", "en-us+klatt", "en-us+klatt2", "en+klatt4", "en-us+croak", "en-us+Andy", "en-us+Annie",
)  # fmt: skip
ESPEAK_OTHERS = {
    "de": ("de", "de+f2"), "es": ("es", "es+f3"), "fr": ("fr", "fr+f1"), "it": ("it", "it+f4"), "fi": ("fi+f2",),
    "cs": ("cs",), "ru": ("ru+f3",), "pl": ("pl",), "pt": ("pt-br+f2",), "hi": ("hi",), "tr": ("tr+f4",),
}  # fmt: skip
FESTIVAL = (
    ("lp_diphone", phones.ITALIAN, "latin-1", "it"),
    ("suo_fi_lj_diphone", phones.FINNISH, "latin-1", "fi"),
    ("hy_fi_mv_diphone", phones.FINNISH, "latin-1", "fi"),
    ("czech_dita", phones.CZECH, "iso-8859-2", "cs"),
    ("czech_krb", phones.CZECH, "iso-8859-2", "cs"),
    ("czech_machac", phones.CZECH, "iso-8859-2", "cs"),
    ("upc_ca_ona_hts", phones.CATALAN, "latin-1", "ca"),
    ("msu_ru_nsh_clunits", phones.RUSSIAN, "utf-8", "ru"),
    ("ked_diphone", phones.DARPA, "ascii", "en"),
)
TEST_FESTIVAL = (
    ("cmu_us_slt_arctic_hts", phones.DARPA, "ascii", "en"),  # the speaker of flite's slt
    ("pc_diphone", phones.ITALIAN, "latin-1", "it"),
)
TEST_FLITE = ("slt", "rms")


def to_train_on() -> Iterator[Utterance]:
    """Yield some hours of speech."""
    espeak, piper, hibari = Espeak(), Piper(), Hibari()
    bulk = texts.licence(260)
    for number, voice in enumerate(ESPEAK_ENGLISH):
        said = [*texts.ENGLISH[number % 2 :: 2], *bulk[number :: len(ESPEAK_ENGLISH)][:5]]
        for at, text in enumerate(said):
            yield espeak.say(text, voice, speed=140 + 17 * (at % 5), pitch=35 + 10 * (at % 4))
    for language, voices in ESPEAK_OTHERS.items():
        for voice in voices:
            for at, text in enumerate(texts.OTHERS[language]):
                yield espeak.say(text, voice, speed=140 + 17 * (at % 4), pitch=35 + 10 * (at % 4))
    for at, text in enumerate([*texts.ENGLISH, *bulk[:150]]):
        yield piper.say(espeak.phonemes(text, "en-us"), pace=0.85 + 0.1 * (at % 4))
        yield from hibari.say(text, speed=0.85 + 0.1 * (at % 4), seed=at)
    for at, text in enumerate([*texts.ENGLISH, *bulk[:100]]):
        yield flite(text, "awb")
        if at % 2 == 0:
            yield flite(text, "kal16" if at % 4 else "kal")
    random = np.random.default_rng(4)
    for _ in range(20):
        yield tones(random)
    for voice, table, encoding, language in FESTIVAL:
        said = [*texts.ENGLISH[::2], *bulk[::8]] if language == "en" else texts.OTHERS[language]
        yield from festival([_plain(text, language) for text in said], voice, table, encoding)
    for text in texts.ENGLISH:
        yield flite(text, "awb", stretch=1.2)
    yield from _round_vowels(espeak, piper, hibari)


def _round_vowels(espeak: Espeak, piper: Piper, hibari: Hibari) -> Iterator[Utterance]:
    for number, voice in enumerate(ESPEAK_ENGLISH):
        for at, text in enumerate(texts.ROUND[number % 2 :: 2]):
            yield espeak.say(text, voice, speed=140 + 17 * (at % 5), pitch=35 + 10 * (at % 4))
    for at, text in enumerate(texts.ROUND):
        yield piper.say(espeak.phonemes(text, "en-us"), pace=0.85 + 0.1 * (at % 4))
        yield from hibari.say(text, speed=0.85 + 0.1 * (at % 4), seed=at)
        yield flite(text, "awb")
        yield flite(text, "awb", stretch=1.2)
        if at % 2 == 0:
            yield flite(text, "kal16" if at % 4 else "kal")


def to_test_on() -> Iterator[Utterance]:
    """Yield the voices that no one trained on."""
    said = [*texts.ENGLISH[:16], *texts.TEST]
    for voice in TEST_FLITE:
        for text in said:
            yield flite(text, voice)
    for voice, table, encoding, language in TEST_FESTIVAL:
        spoken = said if language == "en" else texts.OTHERS[language]
        yield from festival([_plain(text, language) for text in spoken], voice, table, encoding)


def missing() -> list[str]:
    """Return the programs that are not installed."""
    return [name for name in ("espeak-ng", "flite", "festival") if shutil.which(name) is None]


def _plain(text: str, language: str) -> str:
    """Festival's Italian rules know no capitals behind an accent."""
    return text.replace("'", " ") if language == "it" else text
