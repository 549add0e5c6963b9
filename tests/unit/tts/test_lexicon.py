"""Words are said as a list of one's own says."""

from __future__ import annotations

from pathlib import Path

import pytest

from mouthpiece.errors import ConfigurationError
from mouthpiece.tts.lexicon import MAX_BYTES, Lexicon
from mouthpiece.tts.spoken import spoken

OURS = Lexicon.parse(
    """
    # in small letters: however it is written
    sql = sequel
    kubernetes=koo ber netties
    new york = the big apple
    new = fresh
    # with a capital: that spelling alone
    US = U S
    Polish = Poalish
    polish = pollish
    .NET = dot net
    c'est la vie = say la vee
    café = caffay
    """
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SQL, Sql and sql", "sequel, sequel and sequel"),
        ("MySQL and sqlite stay", "MySQL and sqlite stay"),
        ("The US told us.", "The U S told us."),
        ("Polish your Polish, polish!", "Poalish your Poalish, pollish!"),
        ("New York is new", "the big apple is fresh"),
        ("I use .NET.", "I use dot net."),
        ("C'est la vie!", "say la vee!"),
        ("A cafe\u0301.", "A caffay."),
        ("ſql", "sequel"),
        ("", ""),
    ],
)
def test_words_are_said_as_it_says(text: str, said: str) -> None:
    assert spoken(text, lexicon=OURS) == said


def test_what_is_said_for_a_word_is_not_looked_up_again() -> None:
    assert Lexicon.parse("one = two\ntwo = three").apply("one two") == "two three"


def test_without_words_a_text_stays() -> None:
    assert Lexicon.parse("\n# nothing\n").apply("as it is") == "as it is"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"one = two\nthree\n", "line 2: write it as"),
        (b"one = two\n\n = three\n", "line 3: write it as"),
        (b"one =\n", "line 1: write it as"),
        (b"one = -\n", "line 1: there is no word"),
        (b"one = two\none = three\n", "line 2: .one. is there twice"),
        (b"one = " + b"x" * 201, "line 1: it is longer than"),
        (b"one = two\nthr\xff = x\n", "line 2: it is not UTF-8"),
        (b"#" * (MAX_BYTES + 1), "is longer than"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=f"words.txt.*{what}"):
        Lexicon.read(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"words\.txt cannot be read: No such file"):
        Lexicon.read(tmp_path / "words.txt")


def test_a_byte_order_mark_is_no_part_of_the_first_word(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes("\ufeffone = two\r\n".encode())
    assert Lexicon.read(path).apply("one") == "two"
