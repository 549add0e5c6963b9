"""What is written, and the words that a voice is given for it."""

from __future__ import annotations

import unicodedata

import pytest

from mouthpiece.tts.spoken import spoken

PAIRS = [
    # minus signs
    ("It is −5 °C outside.", "It is minus 5 degrees Celsius outside."),
    ("It is -5 °C outside.", "It is minus 5 degrees Celsius outside."),
    ("It is –5°C.", "It is minus 5 degrees Celsius."),
    ("−.5", "minus 0.5"),
    ("7 − 3", "7 minus 3"),
    ("7−3", "7 minus 3"),
    ("x − y", "x minus y"),
    ("pages 5-10", "pages 5-10"),
    ("pages 5–10", "pages 5 to 10"),
    ("2024-01-31", "January 31, 2024"),
    ("a COVID-19 test", "a COVID-19 test"),
    ("a well-known B-52", "a well-known B-52"),
    ("(-3)", "(minus 3)"),
    # money
    ("Balance: -$20.", "Balance: minus 20 dollars."),
    ("Balance: −$20.50.", "Balance: minus 20 dollars and 50 cents."),
    ("Balance: $-20.", "Balance: minus 20 dollars."),
    ("$1", "1 dollar"),
    ("$1.01", "1 dollar and 1 cent"),
    ("$0.99", "99 cents"),
    ("£5.01", "5 pounds and 1 penny"),
    ("£0.50", "50 pence"),
    ("€1,250.00", "1250 euros"),
    ("¥500", "500 yen"),
    ("$3.5 million", "3.5 million dollars"),
    ("$2M", "2 million dollars"),
    ("$4bn", "4 billion dollars"),
    ("$10k", "10 thousand dollars"),
    ("$1,000,000", "1000000 dollars"),
    ("€1.234,50", "1234 euros and 50 cents"),
    ("1.234,50 €", "1234 euros and 50 cents"),
    ("€19,99", "19 euros and 99 cents"),
    ("19,99 €", "19 euros and 99 cents"),
    ("€1,234", "1234 euros"),
    ("5¢", "5 cents"),
    ("$5/month", "5 dollars per month"),
    # groups of digits
    ("There are 10\u202f000 people.", "There are 10000 people."),
    ("10\u00a0000", "10000"),
    ("1\u2009234\u2009567", "1234567"),
    ("1'234'567", "1234567"),
    ("10,000", "10000"),
    ("1,234,567.89", "1234567.89"),
    ("1,2", "1,2"),
    ("one, 2,345 and 6", "one, 2345 and 6"),
    ("1,2,3", "1,2,3"),
    # tags that are written about
    ("&lt;b&gt; makes it bold", "b makes it bold"),
    ("Use <br/>, not </p>.", "Use br, not p."),
    ("if x &lt; 3", "if x is less than 3"),
    # spaces and what is not seen
    ("in\u00adcred\u00adible", "incredible"),
    ("zero\u200bwidth", "zerowidth"),
    ("\ufeffHello", "Hello"),
    ("a\u00a0b\u3000c\u2003d", "a b c d"),
    ("\u202aHello\u202c", "Hello"),
    ("word\u2060joiner", "wordjoiner"),
    # composed letters
    (unicodedata.normalize("NFD", "café"), "café"),
    (unicodedata.normalize("NFD", "Ångström"), "Ångström"),
    ("𝐇𝐞𝐥𝐥𝐨", "Hello"),
    ("𝓗𝓮𝔂", "Hey"),
    ("Ｈｅｌｌｏ", "Hello"),
    ("ﬁne ﬂow", "fine flow"),
    ("①", "1"),
    # entities
    ("Tom &amp; Jerry", "Tom and Jerry"),
    ("5 &lt; 6", "5 is less than 6"),
    ("a&nbsp;b", "a b"),
    ("caf&eacute;", "café"),
    ("it&#39;s", "it's"),
    ("it&#x27;s", "it's"),
    ("AT&T", "AT&T"),
    # measures
    ("He is 6'2\".", "He is 6 foot 2."),
    ("He is 6′2″ tall.", "He is 6 foot 2 tall."),
    ("5’11”", "5 foot 11"),
    ("72°F", "72 degrees Fahrenheit"),
    ("1°C", "1 degree Celsius"),
    ("20℃", "20 degrees Celsius"),
    ("turn 90°", "turn 90 degrees"),
    ("45 %", "45 percent"),
    ("3.5%", "3.5 percent"),
    ("No. 5", "number 5"),
    ("Nos. 5 and 6", "number 5 and 6"),
    ("No. I will not.", "No. I will not."),
    ("№ 7", "number 7"),
    ("#1", "number 1"),
    ("C# code", "C# code"),
    # signs
    ("±3", "plus or minus 3"),
    ("3×4", "3 times 4"),
    ("8 ÷ 2", "8 divided by 2"),
    ("≈ 3", "about 3"),
    ("≤ 5", "at most 5"),
    ("x ≥ 5", "x at least 5"),
    ("Paris → London", "Paris to London"),
    ("2½ hours", "2 and a half hours"),
    ("½ cup", "one half cup"),
    ("¾", "three quarters"),
    ("10 m²", "10 square meters"),
    ("1 m³", "1 cubic meter"),
    ("100 m/s", "100 meters per second"),
    ("10^6", "10 to the power of 6"),
    ("10^-3", "10 to the power of minus 3"),
    ("1/2 cup of it", "one half cup of it"),
    ("2 1/2 hours", "2 and a half hours"),
    ("on 1/2 we met", "on 1/2 we met"),
    ("open 24/7", "open 24 7"),
    ("at 2026-11-30T14:05:00Z", "at November 30, 2026 at 14:05 UTC"),
    ("2026-11-30T14:05", "November 30, 2026 at 14:05"),
    ("5³", "5 cubed"),
    ("salt & pepper", "salt and pepper"),
    ("Mouthpiece™", "Mouthpiece"),
    # emoji
    ("Hello 👋!", "Hello !"),
    ("Great 👍🏽 work 👨‍👩‍👧", "Great work"),
    ("I ❤️ this", "I this"),
    ("🇩🇪 Berlin", "Berlin"),
    # left alone
    ("3.14", "3.14"),
    ("at 10:30 on 5/6", "at 10:30 on 5/6"),
    ("Don't, it's “fine”.", "Don't, it's “fine”."),
    ("Version 1.2.3", "Version 1.2.3"),
]


@pytest.mark.parametrize(("written", "words"), PAIRS)
def test_what_is_written_is_put_into_words(written: str, words: str) -> None:
    assert spoken(written) == words


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("Il fait −5 °C.", "Il fait −5 °C."),
        ("10\u202f000 personnes", "10000 personnes"),
        (unicodedata.normalize("NFD", "déjà"), "déjà"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_another_language_gets_no_english_words(written: str, words: str) -> None:
    assert spoken(written, english=False) == words


@pytest.mark.parametrize("text", [written for written, _ in PAIRS])
def test_words_stay_as_they_are(text: str) -> None:
    assert spoken(spoken(text)) == spoken(text)
