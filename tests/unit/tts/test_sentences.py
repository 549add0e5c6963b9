"""Text cut into sentences, whole or as it comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mouthpiece.tts import SentenceSplitter, split
from mouthpiece.tts.sentences import MAX_CHARACTERS

TEXTS: dict[str, tuple[str, str, list[str]]] = {
    "abbreviations, initials, sums": (
        "en",
        "Dr. Smith paid $3.50 to J. K. Rowling. Is it 5 p.m. already? Version 3.11.7 is out, e.g. here.",
        ["Dr. Smith paid $3.50 to J. K. Rowling.", "Is it 5 p.m. already?", "Version 3.11.7 is out, e.g. here."],
    ),
    "ellipses and marks in a row": (
        "en",
        "Wait... what? I don't know… maybe. Hello!!! Really?!",
        ["Wait... what?", "I don't know… maybe.", "Hello!!!", "Really?!"],
    ),
    "quotations": ("en", 'He said "Go away." Then he left.', ['He said "Go away."', "Then he left."]),
    "addresses": ("en", "Visit example.com. It is new.", ["Visit example.com.", "It is new."]),
    "lines that were wrapped": (
        "en",
        "A sentence\nthat was wrapped. Another one\nwith Dr.\nSmith in it.\n",
        ["A sentence that was wrapped.", "Another one with Dr. Smith in it."],
    ),
    "paragraphs": ("en", "A title\n\nThe text.\n \nThe end", ["A title", "The text.", "The end"]),
    "German": ("de", "Das kostet z.B. 3,50 Euro. Am 3. Mai kam er. Gut.", [
        "Das kostet z.B. 3,50 Euro.", "Am 3. Mai kam er.", "Gut.",
    ]),
    "Japanese": (
        "ja",
        "今日は晴れです。明日は？わかりません！「そうですか。」と言った。",
        ["今日は晴れです。", "明日は？", "わかりません！", "「そうですか。」", "と言った。"],
    ),
    "Chinese": ("zh-CN", "你好。今天天气很好！你说呢？", ["你好。", "今天天气很好！", "你说呢？"]),
    "Hindi": ("hi", "यह एक वाक्य है। यह दूसरा है।", ["यह एक वाक्य है।", "यह दूसरा है।"]),
    "Arabic": ("ar", "هل أنت بخير؟ نعم.", ["هل أنت بخير؟", "نعم."]),
    "nothing": ("en", " \n\n ", []),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_cut_where_its_sentences_end(name: str) -> None:
    language, text, sentences = TEXTS[name]
    assert split(text, language) == sentences


@given(st.sampled_from(sorted(TEXTS)), st.lists(st.integers(1, 12), min_size=1))
def test_the_sentences_are_the_same_however_the_text_comes(name: str, sizes: list[int]) -> None:
    language, text, sentences = TEXTS[name]
    splitter, out, start = SentenceSplitter(language), [], 0
    for size in sizes * len(text):
        out += splitter.push(text[start : start + size])
        start += size
        if start >= len(text):
            break
    assert out + splitter.flush() == sentences


@given(st.text(alphabet="ab .!?,\n\"'()1…。」", max_size=200))
def test_no_character_is_lost_but_white_space(text: str) -> None:
    assert "".join("".join(split(text)).split()) == "".join(text.split())


def test_a_sentence_comes_as_soon_as_the_word_after_it_is_whole() -> None:
    splitter = SentenceSplitter()
    assert splitter.push("It costs 3.") == []
    assert splitter.push("50 dollars. That") == []
    assert splitter.push(" is") == ["It costs 3.50 dollars."]


def test_a_line_that_ends_with_a_full_stop_does_not_wait_for_the_next_one() -> None:
    splitter = SentenceSplitter()
    assert splitter.push("Hello there.\n") == ["Hello there."]
    assert splitter.push("I met Dr.\n") == []


def test_a_wide_full_stop_waits_for_a_closing_quotation_mark_alone() -> None:
    splitter = SentenceSplitter("ja")
    assert splitter.push("「そうですか。」") == []
    assert splitter.push("と") == ["「そうですか。」"]


def test_a_sentence_without_end_is_cut_after_a_clause_or_a_word() -> None:
    clauses = split("some words, " * 100)
    assert all(len(part) <= MAX_CHARACTERS and part.endswith(",") for part in clauses)
    words = split("word " * 300)
    assert all(len(part) <= MAX_CHARACTERS and part.endswith("word") for part in words)
    assert [len(part) for part in split("x" * 1_200)] == [500, 500, 200]


def test_a_cleared_splitter_forgets_what_it_held() -> None:
    splitter = SentenceSplitter()
    splitter.push("Hello there")
    splitter.clear()
    assert splitter.flush() == []


def test_a_language_that_is_not_known_is_split_as_english() -> None:
    assert split("One. Two.", "qqq-x") == ["One.", "Two."]
