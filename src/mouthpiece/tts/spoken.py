"""A text as people and programs write it → the words that a voice is given.

Voices differ in what they make of a sign; words are read by all of them. What depends on the language is put into
English words for English voices alone.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from typing import Final

_INVISIBLE: Final = re.compile("[\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
"""Soft hyphens, zero-width spaces, directions. Joiners stay: Persian and Indic scripts need them."""
_GROUPS: Final = re.compile(r"(?<![\d.,])\d{1,3}(?:([\u00a0\u202f\u2007\u2008\u2009'’])\d{3})(?:\1\d{3})*(?!\d)")
_SPACES: Final = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_LOOK_ALIKE: Final = re.compile("[\U0001d400-\U0001d7ff\uff01-\uff5e\ufb00-\ufb06\u2100-\u214f\u2460-\u2473]")
"""Mathematical and full-width letters, ligatures, letter-like signs, digits in circles."""
_EMOJI: Final = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u2300-\u23ff\u200d\ufe0e\ufe0f\u20e3\U000e0020-\U000e007f]+"
)
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")

_NUMBER: Final = r"\d+(?:\.\d+)?"
_MONEY: Final = {"$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny"), "¥": ("yen", "")}
_SCALE: Final = {"k": "thousand", "m": "million", "bn": "billion", "b": "billion", "tn": "trillion"}


def spoken(text: str, *, english: bool = True) -> str:
    """The words of ``text`` for a voice; of an English one if ``english``."""
    text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
    text = unicodedata.normalize("NFC", text)
    text = _INVISIBLE.sub("", text)
    text = _GROUPS.sub(lambda match: match[0].replace(match[1], ""), text)
    text = _SPACES.sub(" ", text)
    if english:
        text = _LETTER_LIKE.sub(lambda match: _LETTER_LIKE_WORDS[match[0]], text)
    text = _LOOK_ALIKE.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    text = _EMOJI.sub(" ", text)
    if english:
        for pattern, words in _ENGLISH:
            text = pattern.sub(words, text)
    return " ".join(text.split())


def _money(match: re.Match[str]) -> str:
    sign, whole, parts, scale = match[1], match[2].replace(",", ""), match[3], match[4]
    name, small = _MONEY[sign]
    if scale:
        amount = f"{whole}.{parts}" if parts else whole
        return f"{amount} {_SCALE.get(scale.lower(), scale)} {_plural(name, 2)}"
    if parts is None or not small or len(parts) != 2:
        amount = f"{whole}.{parts}" if parts else whole
        return f"{amount} {_plural(name, 2 if parts else int(whole))}"
    words = [] if int(whole) == 0 and int(parts) else [f"{whole} {_plural(name, int(whole))}"]
    if int(parts):
        words.append(f"{int(parts)} {_plural(small, int(parts))}")
    return " and ".join(words)


def _plural(name: str, count: int) -> str:
    if count == 1 or name == "yen":
        return name
    return "pence" if name == "penny" else f"{name}s"


def _degrees(match: re.Match[str]) -> str:
    scale = {"c": " Celsius", "f": " Fahrenheit"}.get((match[2] or "").lower(), "")
    return f"{match[1]} {'degree' if match[1] == '1' else 'degrees'}{scale}"


_LETTER_LIKE_WORDS: Final = {"№": "number ", "℃": "°C", "℉": "°F", "™": "", "℠": ""}
_LETTER_LIKE: Final = re.compile("[№℃℉™℠]")

_ENGLISH: Final[tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]] = (
    (re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])"), lambda match: match[0].replace(",", "")),
    (re.compile(r"([$€£¥])\s?[-\u2212](?=\d)"), r"minus \1"),
    (re.compile(r"(?<=\d)\s*[\u2212]\s*(?=[\d.])"), " minus "),
    (re.compile(r"(?<![\w.)\]-])[-\u2212\u2013\ufe63\uff0d]\s?(?=[$€£¥]?\.?\d)"), "minus "),
    (re.compile(r"\u2212"), " minus "),
    (
        re.compile(r"([$€£¥])\s?(\d[\d,]*)(?:\.(\d+))?(?:\s?(thousand|million|billion|trillion|k|m|bn|b|tn)\b)?", re.I),
        _money,
    ),
    (re.compile(r"(?<![\w.])(\d{1,2})\s?['′’]\s?(\d{1,2})\s?(?:[\"″”]|'')"), r"\1 foot \2"),
    (re.compile(rf"({_NUMBER})\s?°(?:\s?([CFcf])\b)?"), _degrees),
    (re.compile(rf"({_NUMBER})\s?%"), r"\1 percent"),
    (re.compile(r"\b[Nn]os?\.\s?(?=\d)"), "number "),
    (re.compile(r"(?<!\w)#(?=\d+\b)"), "number "),
    (re.compile(r"±\s?(?=[\d.])"), "plus or minus "),
    (re.compile(r"(?<=\d)\s?×\s?(?=\d)"), " times "),
    (re.compile(r"(?<=\d)\s?÷\s?(?=\d)"), " divided by "),
    (re.compile(r"(?<=[\w)])\s?≈\s?(?=\S)"), " is about "),
    (re.compile(r"≈\s?"), "about "),
    (re.compile(r"\s?≤\s?"), " at most "),
    (re.compile(r"\s?≥\s?"), " at least "),
    (re.compile(r"(?<=\w)\s?≠\s?"), " is not "),
    (re.compile(r"\s?→\s?"), " to "),
    (re.compile(r"(?<=\d)\s?½"), " and a half"),
    (re.compile(r"½"), "one half"),
    (re.compile(r"(?<=\d)\s?¼"), " and a quarter"),
    (re.compile(r"¼"), "one quarter"),
    (re.compile(r"(?<=\d)\s?¾"), " and three quarters"),
    (re.compile(r"¾"), "three quarters"),
    (re.compile(r"(?<=\w)²"), " squared"),
    (re.compile(r"(?<=\w)³"), " cubed"),
    (re.compile(r"\s&\s"), " and "),
)
"""In this order: groups of digits before signs, signs before money."""
