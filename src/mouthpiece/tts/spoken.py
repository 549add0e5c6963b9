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

from mouthpiece.tts.lexicon import Lexicon
from mouthpiece.tts.text import has_words, name_tags

_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0d\ufeff]"
)
"""Soft hyphens, zero-width spaces, directions. Joiners stay: Persian and Indic scripts need them."""
_GROUPS: Final = re.compile(r"(?<![\d.,])\d{1,3}(?:([\u00a0\u202f\u2007\u2008\u2009'’])\d{3})(?:\1\d{3})*(?!\d)")
_SPACES: Final = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_LOOK_ALIKE: Final = re.compile(
    "[\U0001d400-\U0001d7ff\uff01-\uff5e\ufb00-\ufb06\u2010\u2011\u2080-\u2089\u2100-\u214f\u2160-\u217f\u2460-\u24ff]"
)
"""Mathematical and full-width letters, ligatures, hyphens, subscripts, letter-like signs, Roman numerals, letters in
circles."""
_EMOJI: Final = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u2300-\u23ff\u200d\ufe0e\ufe0f\u20e3\U000e0020-\U000e007f]+"
)
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")

_URL: Final = re.compile(r"(?<![\w@])(?:https?://|www\.)([^\s<>\"'“”`]+)", re.IGNORECASE)
_MAIL: Final = re.compile(r"(?<![\w.])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_TOP_LEVELS: Final = "com|org|net|io|dev|ai|app|edu|gov|info|co\\.uk|de|fr|ch|at|eu|nl|it|es"
_HOST: Final = re.compile(
    rf"(?<![\w.@/-])[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*\.(?:{_TOP_LEVELS})\b(?![\w@]|\.\w)"
)
_READABLE: Final = re.compile(r"[A-Za-z]{2,20}(?:[-_][A-Za-z0-9]{1,20}){0,3}|\d{1,4}")
"""A part of a path that is read; a code is not."""
_NO_ENTRIES: Final = Lexicon()

_NUMBER: Final = r"\d+(?:\.\d+)?"
_MONEY: Final = {
    "$": ("dollar", "cent"),
    "€": ("euro", "cent"),
    "£": ("pound", "penny"),
    "¥": ("yen", ""),
    "₹": ("rupee", ""),
}
_SCALE: Final = {"k": "thousand", "m": "million", "bn": "billion", "b": "billion", "tn": "trillion"}


def spoken(text: str, *, english: bool = True, lexicon: Lexicon = _NO_ENTRIES) -> str:
    """The words of ``text`` for a voice; of an English one if ``english``. Words of ``lexicon`` are said as it says."""
    text = name_tags(_ENTITY.sub(lambda match: html.unescape(match[0]), text))
    text = unicodedata.normalize("NFC", text)
    text = _INVISIBLE.sub("", text)
    text = _GROUPS.sub(lambda match: match[0].replace(match[1], ""), text)
    text = _SPACES.sub(" ", text)
    if english:
        text = _LETTER_LIKE.sub(lambda match: _LETTER_LIKE_WORDS[match[0]], text)
    text = _LOOK_ALIKE.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    text = lexicon.apply(text)
    text = _URL.sub(_address if english else _bare_address, text)
    if english:
        text = _MAIL.sub(lambda match: _dotted(match[0]).replace("@", " at "), text)
        text = _HOST.sub(lambda match: _dotted(match[0]), text)
        text = text if has_words(text) else _EMOJI.sub(_emoji_names, text)
    text = _EMOJI.sub(" ", text)
    if english:
        for pattern, words in _ENGLISH:
            text = pattern.sub(words, text)
    return " ".join(text.split())


def _address(match: re.Match[str]) -> str:
    """A URL as a person reads it: its host, and its path while that is of words. What is behind a ``?`` or ``#`` is
    not read."""
    url, behind = _without_end(match[1])
    host, *path = re.split(r"[/?#]", url, maxsplit=1)
    words = [_dotted(host.lower().removeprefix("www.").partition(":")[0])]
    if path and url[len(host)] == "/":
        parts = [part for part in re.split(r"[?#]", path[0])[0].split("/") if part]
        if len(parts) <= 3 and all(_READABLE.fullmatch(part) for part in parts):
            words += [re.sub("[-_]", " ", part) for part in parts]
    return " slash ".join(words) + behind


def _bare_address(match: re.Match[str]) -> str:
    url, behind = _without_end(match[1])
    return re.split(r"[/?#:]", url)[0].removeprefix("www.") + behind


def _without_end(url: str) -> tuple[str, str]:
    """``url`` without the punctuation behind it, and that."""
    end = len(url)
    while end and (
        url[end - 1] in ".,;:!?*_~" or (url[end - 1] == ")" and url.count(")", 0, end) > url.count("(", 0, end))
    ):
        end -= 1
    return url[:end], url[end:]


def _dotted(name: str) -> str:
    return name.replace(".", " dot ").replace("_", " underscore ").replace("-", " dash ").replace("+", " plus ")


def _emoji_names(match: re.Match[str]) -> str:
    """The names of signs that are all there is in a text."""
    names = (unicodedata.name(sign, "").lower() for sign in match[0])
    hidden = ("variation selector", "zero width", "emoji modifier", "regional indicator", "combining", "tag ")
    return " ".join(name.removesuffix(" sign") for name in names if name and not name.startswith(hidden))


def _date(match: re.Match[str]) -> str:
    year, month, day = (int(match[group]) for group in (1, 2, 3))
    return f"{_MONTHS[month - 1]} {day}, {year}" if 1 <= month <= 12 and 1 <= day <= 31 else match[0]


def _parts(match: re.Match[str]) -> str:
    """1/2 as the sign of that fraction, where there is one."""
    return _SLASHED.get(f"{match[1]}/{match[2]}", match[0])


def _point_and_comma(match: re.Match[str]) -> str:
    """1.234,50 and 19,99 as English has them."""
    return match[0].replace(".", "").replace(",", ".")


def _moment(match: re.Match[str]) -> str:
    return f"{match[1]} at {match[2]}{' UTC' if match[3] else ''}"


def _unit(match: re.Match[str]) -> str:
    name = _UNITS[match[2]]
    alone = match[1] == "1" or " per " in name or name.endswith(("hertz", "feet"))
    return f"{match[1]} {name if alone else name + 's'}"


def _power(match: re.Match[str]) -> str:
    return f" to the power of {'minus ' if match[1] else ''}{unicodedata.normalize('NFKC', match[2])}"


def _money(match: re.Match[str], sign_group: int = 1) -> str:
    sign, whole, parts, scale = match[sign_group], match[2].replace(",", ""), match[3], match[4]
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


_LETTER_LIKE_WORDS: Final = {"№": "number ", "℃": "°C", "℉": "°F", "™": "", "℠": "", "®": "", "℅": "care of "}
_LETTER_LIKE: Final = re.compile(f"[{''.join(_LETTER_LIKE_WORDS)}]")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_UNITS: Final = {
    "km": "kilometer",
    "cm": "centimeter",
    "mm": "millimeter",
    "kg": "kilogram",
    "mg": "milligram",
    "ml": "milliliter",
    "km/h": "kilometers per hour",
    "m/s": "meters per second",
    "MB/s": "megabytes per second",
    "Mbit/s": "megabits per second",
    "m²": "square meter",
    "km²": "square kilometer",
    "cm²": "square centimeter",
    "m³": "cubic meter",
    "cm³": "cubic centimeter",
    "kHz": "kilohertz",
    "MHz": "megahertz",
    "GHz": "gigahertz",
    "Hz": "hertz",
    "ft": "feet",
    "lbs": "pound",
    "lb": "pound",
    "oz": "ounce",
    "mph": "miles per hour",
    "kWh": "kilowatt hour",
    "MB": "megabyte",
    "GB": "gigabyte",
    "TB": "terabyte",
    "kB": "kilobyte",
}
_FRACTIONS: Final = {"½": "a half", "¼": "a quarter", "¾": "three quarters", "⅓": "a third", "⅔": "two thirds"}
_WHOLE_FRACTIONS: Final = {
    "½": "one half",
    "¼": "one quarter",
    "¾": "three quarters",
    "⅓": "one third",
    "⅔": "two thirds",
    "⅛": "one eighth",
    "⅜": "three eighths",
    "⅝": "five eighths",
    "⅞": "seven eighths",
    "⅕": "one fifth",
}
_SLASHED: Final = {unicodedata.normalize("NFKC", sign).replace("\u2044", "/"): sign for sign in _WHOLE_FRACTIONS}
_HYPHENS: Final = "-\u2212\u2013\ufe63\uff0d"

_ENGLISH: Final[tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]] = (
    (re.compile(r"\b(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(?:(Z)|[+-]\d\d:\d\d)?(?![\w:])"), _moment),
    (re.compile(r"(?<![\w.,-])(\d{4})-(\d\d)-(\d\d)(?![\w-])"), _date),
    (re.compile(r"(?<![\d.,])\d{1,3}(?:\.\d{3})+,\d\d(?![\d,])"), _point_and_comma),
    (re.compile(r"(?<=[$€£¥₹])\s?\d+,\d\d(?![\d,])|(?<![\d.,])\d+,\d\d(?=\s?[$€£¥₹](?!\d))"), _point_and_comma),
    (re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])"), lambda match: match[0].replace(",", "")),
    (re.compile(r"(?<=\w)\^(-?)(\d+)"), lambda match: f" to the power of {'minus ' if match[1] else ''}{match[2]}"),
    (re.compile(r"\b(?:US|CA|AU|NZ|HK)\$(?=\d)"), "$"),
    (re.compile(r"([$€£¥₹])\s?[-\u2212](?=\d)"), r"minus \1"),
    (re.compile(r"(?<=\d)\s*[\u2212]\s*(?=[\d.])"), " minus "),
    (re.compile(r"(?<=\d)\s?\u2013\s?(?=\d)"), " to "),
    (re.compile(rf"(?<![\w.)\]-])[{_HYPHENS}]\s?(?=[$€£¥₹]?\.?\d)"), "minus "),
    (re.compile(r"\u2212"), " minus "),
    (re.compile(r"(?<![\w.])~\s?(?=\d)"), "about "),
    (re.compile(r"(?<![\w.])\.(?=\d)"), "0."),
    (
        re.compile(
            r"([$€£¥₹])\s?(\d[\d,]*)(?:\.(\d+))?(?:\s?(thousand|million|billion|trillion|k|m|bn|b|tn)\b)?", re.I
        ),
        _money,
    ),
    (
        re.compile(r"(?<![\w.,])()(\d[\d,]*)(?:\.(\d+))?()\s?([$€£¥₹])(?!\d)"),
        lambda match: _money(match, 5),
    ),
    (re.compile(r"(?<![\w.,])(\d+)\s?¢"), lambda match: f"{match[1]} {_plural('cent', int(match[1]))}"),
    (re.compile(r"(?<=\w)/(?=(?:month|year|day|night|week|hour|minute|second|person|user)s?\b)"), " per "),
    (re.compile(r"\b24/7\b"), "24 7"),
    (
        re.compile(r"(?<![\d/.])([1-7])/([2-8])(?=\s(?:of|cups?|inch|inches|hours?|miles?|teaspoons?|tablespoons?)\b)"),
        _parts,
    ),
    (re.compile(r"(?<![\w.])(\d{1,2})\s?['′’]\s?(\d{1,2})\s?(?:[\"″”]|'')"), r"\1 foot \2"),
    (re.compile(rf"({_NUMBER})\s?°(?:\s?([CFcf])\b)?"), _degrees),
    (re.compile(rf"({_NUMBER})\s?({'|'.join(sorted(_UNITS, key=len, reverse=True))})(?![\w/])"), _unit),
    (re.compile(rf"({_NUMBER})\s?%"), r"\1 percent"),
    (re.compile(rf"({_NUMBER})\s?‰"), r"\1 per thousand"),
    (re.compile(r"\b[Nn]os?\.\s?(?=\d)"), "number "),
    (re.compile(r"(?<!\w)#(?=\d+\b)"), "number "),
    (re.compile(r"±\s?(?=[\d.])"), "plus or minus "),
    (re.compile(r"(?<=\d)\s?×\s?(?=\d)"), " times "),
    (re.compile(r"(?<=\d)\s?÷\s?(?=\d)"), " divided by "),
    (re.compile(r"\bC\+\+"), "C plus plus"),
    (re.compile(r"(?<=[\w)])\s?\+\s?(?=\d)|(?<=\w)\s\+\s(?=\w)"), " plus "),
    (re.compile(r"(?<=[\w)])\s?=\s?(?=[\d-])|(?<=\w)\s=\s(?=\w)"), " equals "),
    (re.compile(r"(?<=[\w)])\s?<=\s?(?=\d)|\s?≤\s?"), " at most "),
    (re.compile(r"(?<=[\w)])\s?>=\s?(?=\d)|\s?≥\s?"), " at least "),
    (re.compile(r"(?<=[\w)])\s?<\s?(?=\d)|(?<=\w)\s<\s(?=\w)"), " is less than "),
    (re.compile(r"(?<=[\w)])\s?>\s?(?=\d)|(?<=\w)\s>\s(?=\w)"), " is more than "),
    (re.compile(r"(?<=[\w)])\s?≈\s?(?=\S)"), " is about "),
    (re.compile(r"≈\s?"), "about "),
    (re.compile(r"(?<=\w)\s?≠\s?"), " is not "),
    (re.compile(r"\s?(?:→|->|=>)\s?"), " to "),
    (re.compile(r"√\s?(?=\w)"), "the square root of "),
    (re.compile(r"∞"), "infinity"),
    *((re.compile(rf"(?<=\d)\s?{sign}"), f" and {words}") for sign, words in _FRACTIONS.items()),
    *((re.compile(sign), words) for sign, words in _WHOLE_FRACTIONS.items()),
    (re.compile(r"(?<=\w)²"), " squared"),
    (re.compile(r"(?<=\w)³"), " cubed"),
    (re.compile(r"(?<=\w)(⁻?)([⁰¹²³⁴-⁹]+)"), _power),
    (re.compile(r"\s&\s"), " and "),
    (re.compile(r"\s[|•·]\s"), ", "),
    (re.compile(r"\s--\s"), " — "),
)
"""In this order: groups of digits before signs, signs before money."""
