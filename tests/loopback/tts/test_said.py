"""What is written, and what is said, by the phonemes of the offline voice and of espeak-ng."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import unicodedata
from typing import Any

import pytest

from mouthpiece.tts.providers.offline import _model, _phonemes
from mouthpiece.tts.spoken import spoken

SAID: dict[str, str] = {
    # minus signs
    "−5": "minus five",
    "-5": "minus five",
    "–5": "minus five",
    "It is −5 °C.": "It is minus five degrees Celsius.",
    "It is -40 °F.": "It is minus forty degrees Fahrenheit.",
    "−.5": "minus zero point five",
    "7 − 3": "seven minus three",
    "7−3": "seven minus three",
    "x − y": "x minus y",
    "(−3)": "minus three",
    "from −10 to −2": "from minus ten to minus two",
    "－７": "minus seven",
    # money
    "-$20": "minus twenty dollars",
    "−$20": "minus twenty dollars",
    "$-20": "minus twenty dollars",
    "$1": "one dollar",
    "$20.50": "twenty dollars and fifty cents",
    "$1.01": "one dollar and one cent",
    "$0.99": "ninety nine cents",
    "$3.5 million": "three point five million dollars",
    "$2M": "two million dollars",
    "$4bn": "four billion dollars",
    "$10k": "ten thousand dollars",
    "$1,000": "one thousand dollars",
    "US$20": "twenty dollars",
    "£5": "five pounds",
    "£0.50": "fifty pence",
    "€12": "twelve euros",
    "20 €": "twenty euros",
    "20€": "twenty euros",
    "¥500": "five hundred yen",
    "₹50": "fifty rupees",
    # groups of digits
    "10\u202f000 people": "ten thousand people",
    "10\u00a0000 people": "ten thousand people",
    "10\u2009000 people": "ten thousand people",
    "10,000 people": "ten thousand people",
    "10'000 people": "ten thousand people",
    "10’000 people": "ten thousand people",
    "1\u202f000\u202f000 people": "one million people",
    "2,000,000 people": "two million people",
    "-2,000": "minus two thousand",
    "one, two, three": "one, two, three",
    # what is not seen
    "in\u00adcred\u00adible": "incredible",
    "wa\u200bter": "water",
    "\ufeffHello": "Hello",
    "Hello\u00a0there": "Hello there",
    "Hello\u2003there": "Hello there",
    "Hello\u3000there": "Hello there",
    "\u202aHello\u202c there": "Hello there",
    "Hel\u2060lo": "Hello",
    "Hello\u2028there": "Hello there",
    "well\u2011known": "well-known",
    # composed and look-alike letters
    unicodedata.normalize("NFD", "café"): "café",
    unicodedata.normalize("NFD", "naïve"): "naïve",
    "𝐇𝐞𝐥𝐥𝐨 there": "Hello there",
    "𝓗𝓮𝓵𝓵𝓸 there": "Hello there",
    "𝔥𝔢𝔩𝔩𝔬 there": "hello there",
    "𝙷𝚎𝚕𝚕𝚘 there": "Hello there",
    "Ｈｅｌｌｏ there": "Hello there",
    "ﬁne ﬂowers": "fine flowers",
    "ⓗⓔⓛⓛⓞ": "hello",
    "① and ②": "one and two",
    "１２ eggs": "twelve eggs",
    # entities
    "Tom &amp; Jerry": "Tom and Jerry",
    "salt & pepper": "salt and pepper",
    "Hello&nbsp;there": "Hello there",
    "caf&eacute;": "café",
    "it&#39;s fine": "it's fine",
    "it&#x27;s fine": "it's fine",
    "&quot;Yes&quot;": '"Yes"',
    "5 &lt; 6": "five is less than six",
    "5 &gt; 4": "five is more than four",
    # measures
    "He is 6'2\".": "He is six foot two.",
    "He is 6′2″.": "He is six foot two.",
    "He is 5’11”.": "He is five foot eleven.",
    "72°F": "seventy two degrees Fahrenheit",
    "1°C": "one degree Celsius",
    "20℃": "twenty degrees Celsius",
    "turn 90°": "turn ninety degrees",
    "45 %": "forty five percent",
    "3.5%": "three point five percent",
    "5 km": "five kilometers",
    "1 km": "one kilometer",
    "80 km/h": "eighty kilometers per hour",
    "3 kg": "three kilograms",
    "10 cm": "ten centimeters",
    "60 mph": "sixty miles per hour",
    "16 GB": "sixteen gigabytes",
    "44.1 kHz": "forty four point one kilohertz",
    "10 ft": "ten feet",
    "No. 5": "number five",
    "no. 5": "number five",
    "№ 7": "number seven",
    "#1": "number one",
    "No. I will not.": "No. I will not.",
    # signs
    "±3": "plus or minus three",
    "3×4": "three times four",
    "8 ÷ 2": "eight divided by two",
    "2+2=4": "two plus two equals four",
    "≈ 3": "about three",
    "~20 people": "about twenty people",
    "≤ 5": "at most five",
    "≥ 5": "at least five",
    "x >= 5": "x at least five",
    "x ≠ 5": "x is not five",
    "Paris → London": "Paris to London",
    "one -> two": "one to two",
    "√9": "the square root of nine",
    "∞": "infinity",
    "½ cup": "one half cup",
    "2½ hours": "two and a half hours",
    "¾ cup": "three quarters cup",
    "⅓ cup": "one third cup",
    "⅔ cup": "two thirds cup",
    "5²": "five squared",
    "5³": "five cubed",
    "10⁶": "ten to the power of six",
    "10⁻³": "ten to the power of minus three",
    "pages 5–10": "pages five to ten",
    "10 – 12 people": "ten to twelve people",
    "Mouthpiece™ works": "Mouthpiece works",
    "C++ code": "C plus plus code",
    "2024-01-31": "January 31, 2024",
    # emoji
    "Hello 👋": "Hello",
    "Good 👍🏽 work 👨‍👩‍👧": "Good work",
    "I like this ❤️": "I like this",
    "🇩🇪 Berlin": "Berlin",
    "Step 1️⃣": "Step one",
    "👍": "thumbs up",
    "🐈": "cat",
    # addresses
    "See https://example.com.": "See example dot com.",
    "See https://www.example.com/docs/start?page=2#top.": "See example dot com slash docs slash start.",
    "See http://example.com/a8f3-77b2-c1/x_9.": "See example dot com.",
    "www.example.org": "example dot org",
    "(https://example.com)": "example dot com",
    "Go to example.com.": "Go to example dot com.",
    "Write to jane@example.com.": "Write to jane at example dot com.",
    "Write to jane.doe@example.com.": "Write to jane dot doe at example dot com.",
    # left alone
    "at 10:30": "at ten thirty",
    "3.14": "three point one four",
    "Dr. Smith": "Doctor Smith",
    "a well-known story": "a well-known story",
    "a COVID-19 test": "a COVID-19 test",
    "Don't, it's “fine”.": "Don't, it's “fine”.",
}


def by_espeak(text: str) -> str:
    """Its phonemes, without stress, pauses and the borders of words."""
    command = ["espeak-ng", "-q", "--ipa", "-v", "en-us", "--stdin"]
    phonemes = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    return _bare(phonemes)


def by_the_offline_voice(model: Any, text: str) -> str:
    return _bare("".join(_phonemes(model, text)))


def _bare(phonemes: str) -> str:
    phonemes = phonemes.replace("ɔː", "oː").replace("ᵻ", "ɪ")  # espeak-ng's variants of a word and of its digits
    return re.sub(r"[\sˈˌ.,!?;:\"“”()—…-]", "", phonemes)


@pytest.fixture(scope="module")
def model() -> Any:
    return _model("heart")


def test_there_are_enough() -> None:
    assert len(SAID) >= 120


@pytest.mark.parametrize("written", SAID)
def test_the_offline_voice_says_it(model: Any, written: str) -> None:
    assert by_the_offline_voice(model, spoken(written)) == by_the_offline_voice(model, SAID[written])


def test_espeak_says_it() -> None:
    if shutil.which("espeak-ng") is None:
        if os.environ.get("CI"):
            pytest.fail("espeak-ng is not installed")
        pytest.skip("espeak-ng is not installed")
    wrong = {
        written: (spoken(written), by_espeak(spoken(written)), by_espeak(said))
        for written, said in SAID.items()
        if by_espeak(spoken(written)) != by_espeak(said)
    }
    assert wrong == {}
