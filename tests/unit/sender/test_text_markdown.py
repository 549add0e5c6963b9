"""What a language model writes is read as a person would read it aloud, whole or in pieces that break anywhere."""

from __future__ import annotations

import pytest

from mouthpiece.tts import TTSBadText
from mouthpiece_sender.speech.incremental_text import IncrementalText
from mouthpiece_sender.speech.markdown import MAX_HELD, MarkdownReader, read_markdown

READ = {
    "**Bold**, *italic*, __bold__, _italic_ and ***both***.": "Bold, italic, bold, italic and both.",
    "**Never ended": "Never ended",
    "never begun.**": "never begun.",
    "`never ended": "never ended",
    "2 ** 3 and 2**3 stay": "2 ** 3 and 2**3 stay",
    "Hi there.<|im_end|>": "Hi there.",
    "So $E=mc^2$ and $$a_1$$.": "So E=mc^2 and a_1.",
    "It costs $5 and a = $6.": "It costs $5 and a = $6.",
    "a * b and snake_case_name stay": "a * b and snake_case_name stay",
    "# Title\nText": "Title Text",
    "Title\n=====\nText": "Title Text",
    "## Title ##": "Title",
    "- one\n- two\n* three\n+ four": "one two three four",
    "1. first\n2. second\n10) tenth": "1: first 2: second 10: tenth",
    "- one\n  - nested\n      - deeper": "one nested deeper",
    "- [ ] open\n- [x] done": "open done",
    "Use `pip install x` now.": "Use pip install x now.",
    "Before.\n```python\nprint('no')\n```\nAfter.": "Before. After.",
    "Before.\n\n~~~\nno\n```\n~~~\n\nAfter.": "Before. After.",
    "1. Do this:\n   ```sh\n   rm x\n   ```\n2. Done.": "1: Do this: 2: Done.",
    "An open fence.\n```\nnever closed": "An open fence.",
    "See [the docs](https://example.com/a?b=c).": "See the docs.",
    "See <https://example.com/docs>.": "See https://example.com/docs.",
    "It is so.[1](https://example.com) And so [2].": "It is so. And so.",
    "array[0] and f[12] stay": "array[0] and f[12] stay",
    "A note[^1] here.\n\n[^1]: The note.": "A note here. The note.",
    "![A red house](house.png)": "A red house",
    "~~old~~ new": "new",
    "> A quotation\n> over two lines": "A quotation over two lines",
    "one\n\n---\n\ntwo": "one two",
    "| Name | Age |\n|---|---|\n| Ada | 36 |\n| Bob | |": "Name: Ada, Age: 36 Name: Bob",
    "<b>Bold</b> and<br>next": "Bold and next",
    "<div class='x'>\nIn a <i>box</i>\n</div>": "In a box",
    "<script>no()</script>\n\nyes": "yes",
    "5 &lt; 6 &amp; 7": "5 < 6 & 7",
    r"2 \* 3 \_x\_": "2 * 3 _x_",
    "line one  \nline two": "line one line two",
    # reasoning
    "<think>Hm.\n\nWell.</think>Hello.": "Hello.",
    "<THINKING>a</THINKING> <reasoning>b</reasoning> c": "c",
    "<think>never ended": "",
    "In code `<think>` is a word.": "In code <think> is a word.",
    "a < b and <thin air": "a < b and <thin air",
    "Yes.<think>a</think> No.<think>b</think>": "Yes. No.",
}


def one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("written", READ)
def test_it_is_read_as_a_person_would(written: str) -> None:
    assert one_line(read_markdown(written)) == READ[written]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pieces_may_break_anywhere(size: int) -> None:
    text = "\n\n".join(READ)
    text = text.replace("<think>never ended", "").replace("An open fence.\n```\nnever closed", "")
    reader = MarkdownReader()
    read = "".join(reader.push(text[at : at + size]) for at in range(0, len(text), size)) + reader.flush()
    assert one_line(read) == one_line(read_markdown(text))


def test_a_sentence_is_read_before_its_paragraph_ends() -> None:
    reader = MarkdownReader()
    assert reader.push("It is **so. Or** not. And") == "It is so. Or not. "
    assert reader.push(" then.\n\n") == "And then.\n\n"


def test_no_sentence_ends_within_emphasis_code_or_a_link() -> None:
    reader = MarkdownReader()
    assert reader.push("**One. ") + reader.push("Two** `a. b") + reader.push("` [c. d](http://e. ") == ""
    assert one_line(reader.flush()) == "One. Two a. b [c. d](http://e."


def test_nothing_waits_for_ever() -> None:
    reader = MarkdownReader()
    assert len(reader.push("word " * MAX_HELD)) >= MAX_HELD


def test_what_is_said_of_a_pause_in_reasoning_is_nothing() -> None:
    reader = MarkdownReader()
    assert reader.push("Hello <think>and") == ""
    assert one_line(reader.pause()) == "Hello"
    assert reader.push(" so on</thi") == ""
    assert one_line(reader.push("nk>there") + reader.flush()) == "there"


async def test_a_text_is_its_sentences() -> None:
    text = IncrementalText.of("<think>No.</think># Title\n\nIt is **so. And** so.\n\n- one", "markdown")
    sentences = [await text.sentence(index) for index in range(5)]
    assert sentences == ["Title", "It is so.", "And so.", "one", None]


@pytest.mark.parametrize("whole", ["```\ncode\n```", "<think>only</think>", "***", "<b></b>"])
async def test_what_holds_nothing_to_read_is_refused(whole: str) -> None:
    with pytest.raises(TTSBadText, match="pronounce"):
        await IncrementalText.of(whole, "markdown").sentence(0)


async def test_tags_are_refused_in_a_plain_text_and_left_out_of_markdown() -> None:
    with pytest.raises(TTSBadText, match="text_format=markdown"):
        IncrementalText.of("A <b>word</b>")
    assert await IncrementalText.of("A <b>word</b>", "markdown").sentence(0) == "A word"


async def test_reasoning_that_is_split_over_pieces_is_left_out() -> None:
    text = IncrementalText("markdown")
    for piece in ("<th", "ink>I mus", "t say. Nothing.</t", "hink>Hel", "lo. The", "re."):
        text.append(piece)
    text.finish()
    assert [await text.sentence(index) for index in range(3)] == ["Hello.", "There.", None]
