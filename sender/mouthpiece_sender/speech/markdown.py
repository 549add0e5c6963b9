"""What a language model writes, as the text that a person would read aloud; whole, or while it is being written.

Markdown is CommonMark with tables and strikethrough, read by markdown-it-py. This module decides *when* a piece of it
is complete enough to be read: at the end of a paragraph, heading or item, and in a long one at the end of a sentence in
which no emphasis, code or link is open. Left out are reasoning (``<think>`` and the like), fenced code, what is struck
out, marks of citations and notes, marks without their other half, tags, and the addresses of links that have words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

MAX_HELD: Final = 4_000
"""Characters that wait for the end of their paragraph at most."""

_PARSER: Final = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable("code")
"""Indented code is none: models indent items of lists."""
_ITEM: Final = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])\s+")
_STARTS_BLOCK: Final = re.compile(r"\s*(?:[-*+]\s|\d{1,9}[.)]\s|#{1,6}\s|>)")
_FENCE: Final = re.compile(r"\s*(?:(?:[-*+]|\d{1,9}[.)])\s+)*(`{3,}(?!.*`)|~{3,})")
_SENTENCE_END: Final = re.compile(r"[.!?…。！？][\"'”’»)*_~`]*\s+")
_TASK: Final = re.compile(r"\[[ xX]\]\s+")
_NOTE: Final = re.compile(r"^\[\^[^\]\s]+\]:\s*|\s*\[\^[^\]\s]+\]|(?:(?<=[.,;:!?)\]])|\s+)\[\d{1,3}\]")
_LEFT_OVER: Final = re.compile(r"<\|[a-z_]{1,30}\|>|(?<![\w*\\])\*{2,3}(?=\w)|(?<=[\w.,;:!?])\*{2,3}(?![\w*])|`")
"""Marks that nothing ends or begins, and a model's own (``<|im_end|>``)."""
_MATHS: Final = re.compile(r"(?<![\w$])\${1,2}(?=\S)([^$\n]*[\\^_={}][^$\n]*)(?<=\S)\${1,2}(?![\w$])")
"""A formula between dollar signs, which are none of money."""
_NAMES: Final = "think|thinking|thought|reasoning|reflection|scratchpad"
_REASONING: Final = re.compile(rf"<({_NAMES})\s*>", re.IGNORECASE)
_LONGEST_TAG: Final = 16
"""Characters of such a tag at most."""


class Reasoning:
    """Leaves out what a model thinks before it answers, between ``<think>`` and ``</think>`` and tags like it, also
    where they are split over pieces. What was begun and not ended is left out too; in code a tag is a word."""

    def __init__(self) -> None:
        self._held = ""
        self._inside: re.Pattern[str] | None = None
        self._before = ""
        """The last character that was given out."""

    def push(self, piece: str) -> str:
        self._held += piece
        out: list[str] = []
        while True:
            if self._inside is not None:
                end = self._inside.search(self._held)
                if end is None:
                    self._held = self._held[-_LONGEST_TAG:]
                    break
                self._held, self._inside = self._held[end.end() :], None
                continue
            begin = _REASONING.search(self._held)
            if begin is None:
                whole = self._complete()
                out.append(self._held[:whole])
                self._held = self._held[whole:]
                break
            before = (self._before + "".join(out) + self._held[: begin.start()])[-1:]
            if before == "`":
                out.append(self._held[: begin.end()])
            else:
                out.append(self._held[: begin.start()])
                self._inside = re.compile(rf"</{begin[1]}\s*>", re.IGNORECASE)
            self._held = self._held[begin.end() :]
        given = "".join(out)
        self._before = given[-1:] or self._before
        return given

    def flush(self) -> str:
        rest, self._held = ("" if self._inside is not None else self._held), ""
        return rest

    def _complete(self) -> int:
        """How many of the characters that are held cannot belong to a tag that begins."""
        at = self._held.rfind("<", max(0, len(self._held) - _LONGEST_TAG))
        return at if at >= 0 and ">" not in self._held[at:] else len(self._held)


class MarkdownReader:
    """Markdown that comes in pieces, as plain text. A blank line stands between two blocks."""

    def __init__(self) -> None:
        self._reasoning = Reasoning()
        self._block = ""
        """Lines that are not read yet, with their line ends."""
        self._line = ""
        """The last line, which may go on."""
        self._goes_on = False
        """The beginning of the block was read."""
        self._fence = ""
        """The marks that opened the fenced code that is being left out."""

    def push(self, piece: str) -> str:
        """Add ``piece``; return what can be read now."""
        return self._push(self._reasoning.push(piece))

    def pause(self) -> str:
        """Return what was written so far, as it stands."""
        return self._end(last=False)

    def flush(self) -> str:
        """End the text; return its rest."""
        return self._push(self._reasoning.flush()) + self._end(last=True)

    def _push(self, text: str) -> str:
        out = ""
        *lines, rest = (self._line + text).replace("\r\n", "\n").split("\n")
        self._line = rest
        for line in lines:
            out += self._take(line)
        if self._fence:
            self._line = self._line[-200:]
        else:
            out += self._sentences()
        return out

    def _end(self, *, last: bool) -> str:
        if self._fence and not last:
            return ""
        line, self._line = self._line, ""
        return self._take(line) + self._read()

    def _take(self, line: str) -> str:
        """Add a whole line; return what it ends."""
        if self._fence:
            marks = line.strip()
            if marks.startswith(self._fence) and not marks.strip(self._fence[0]):
                self._fence = ""
            return ""
        fence = _FENCE.match(line)
        if fence is not None and not self._goes_on_with(line):
            out = self._read()
            self._fence = fence[1]
            return out
        out = ""
        if not line.strip() or _STARTS_BLOCK.match(line):
            out = self._read()
        if line.strip():
            self._block += line + "\n"
        return out

    def _goes_on_with(self, line: str) -> bool:
        """Whether ``line`` is the rest of a line whose beginning was read."""
        return self._goes_on and not self._block

    def _sentences(self) -> str:
        """Read the sentences that have ended in the block that goes on."""
        text = self._block + self._line
        if text.lstrip().startswith(("|", "<")) or "|" in text.partition("\n")[0]:
            return ""  # a table or HTML
        marker = _ITEM.match(text)
        least = marker.end() if marker is not None and not self._goes_on else 0
        cut = 0
        for end in _SENTENCE_END.finditer(text, least):
            line = text[text.rfind("\n", 0, end.start()) + 1 : end.end()]
            if not _ITEM.fullmatch(line) and not _is_open(text[: end.end()]):
                cut = end.end()
        if not cut and len(text) > MAX_HELD:
            cut = text.rfind(" ", 0, MAX_HELD) + 1 or MAX_HELD
        if not cut:
            return ""
        self._block, self._line = text[:cut], ""
        out = self._read(ends=False)
        head, line_end, tail = text[cut:].rpartition("\n")
        self._block, self._line = head + line_end, tail
        self._goes_on = "\n" not in text[len(text[:cut].rstrip()) : cut]
        return out

    def _read(self, *, ends: bool = True) -> str:
        """Return the block as plain text and begin another one."""
        text, self._block = self._block, ""
        goes_on, self._goes_on = self._goes_on, False
        if not text.strip():
            return "\n\n" if goes_on and ends else ""
        tokens = _PARSER.parseInline(text.strip()) if goes_on else _PARSER.parse(text.lstrip(" "))
        read = "\n\n".join(part for part in _blocks(tokens) if part)
        return read + ("\n\n" if ends else " ")


def read_markdown(text: str) -> str:
    """A whole text as plain text."""
    reader = MarkdownReader()
    return reader.push(text) + reader.flush()


def _is_open(text: str) -> bool:
    """Whether emphasis, code or a link is open at the end of ``text``."""
    if text.count("`") % 2:
        return True
    words = re.sub(r"`[^`]*`|\\.", "", text)
    marks = re.sub(r"^\s*[*+-]\s", "", words, flags=re.MULTILINE)
    if marks.count("**") % 2 or marks.replace("**", "").count("*") % 2 or marks.count("~~") % 2:
        return True
    if len(re.findall(r"(?<!\w)_|_(?!\w)", marks)) % 2:
        return True
    return words.count("[") != words.count("]") or bool(re.search(r"\]\([^)]*$", words))


def _blocks(tokens: Sequence[Token]) -> Iterator[str]:
    """The text of each block."""
    number = ""
    row: list[str] = []
    names: list[str] = []
    for token in tokens:
        match token.type:
            case "list_item_open":
                number = token.info
            case "inline" if row or _in_row(token, tokens):
                row.append(_inline(token.children or []))
            case "inline":
                text = _TASK.sub("", _inline(token.children or []), count=1)
                yield f"{number}: {text}" if number else text
                number = ""
            case "html_block":
                yield _without_tags(token.content)
            case "thead_close":
                names, row = row, []
            case "tr_close" if names and row:
                yield ", ".join(
                    f"{name}: {cell}" if name else cell
                    for name, cell in zip(names + [""] * len(row), row, strict=False)
                    if cell
                )
                row = []


def _in_row(token: Token, tokens: Sequence[Token]) -> bool:
    before = tokens[tokens.index(token) - 1]
    return before.type in ("th_open", "td_open")


def _inline(tokens: Sequence[Token]) -> str:
    """The words of a line: without marks, addresses, tags, citations, and what is struck out."""
    out: list[str] = []
    links: list[int] = []
    struck = 0
    for token in tokens:
        match token.type:
            case "s_open" | "s_close":
                struck += token.nesting
            case _ if struck:
                pass
            case "text":
                out.append(_LEFT_OVER.sub("", _MATHS.sub(r"\1", token.content)))
            case "code_inline" | "image":
                out.append(token.content)
            case "softbreak" | "hardbreak":
                out.append(" ")
            case "html_inline" if token.content.lower().startswith(("<br", "</p", "</div", "</li")):
                out.append(" ")
            case "link_open":
                links.append(len(out))
            case "link_close":
                begin = links.pop()
                if "".join(out[begin:]).strip("[]^ ").isdigit():  # a citation
                    del out[begin:]
    return _NOTE.sub("", "".join(out)).strip()


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._hidden += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def _without_tags(html: str) -> str:
    words = _Words()
    words.feed(html)
    words.close()
    return " ".join(" ".join(words.words).split())
