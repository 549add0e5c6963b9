"""A board as tables for a terminal, and an event as a line."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mouthpiece.client.values import Event, Segment
from mouthpiece_sender.cli.board import Board

_COLOURS = {"playing": "green", "finished": "dim", "failed": "red", "unknown": "red", "paused": "yellow"}


def tables(board: Board, *, height: int) -> RenderableType:
    """Return the rooms and the segments of ``board``, in at most ``height`` lines."""
    rooms = Table("Room", "Avatars", "Viewers", "Plays", "Waits", box=None, padding=(0, 2, 0, 0), expand=True)
    active = board.active
    for line in board.rooms[: max(1, height // 3)]:
        own = [segment for segment in active if segment["room"] == line.name]
        rooms.add_row(
            _plain(line.name + (" (paused)" if line.paused else "")),
            _plain(", ".join(line.avatars) or "none"),
            "?" if line.viewers is None else str(line.viewers),
            str(sum(segment["state"] == "playing" for segment in own)),
            str(sum(segment["state"] == "queued" for segment in own)),
        )
    left = max(1, height - rooms.row_count - 4)
    segments = Table("Segment", "Room", "State", "Heard", "Known by", "Of", box=None, padding=(0, 2, 0, 0), expand=True)
    for segment in [*active, *board.ended][:left]:
        segments.add_row(*_cells(segment))
    return Group(rooms, Text(), segments)


def event_line(event: Event) -> str:
    """Return an event as one line."""
    if event["type"] == "gap":
        return "gap: the log no longer has what happened here"
    segment = event.get("segment")
    parts = [event["at"], event["room"], event["type"], event.get("avatar") or ""]
    if segment is not None:
        parts[1:1] = [segment["id"]]
        parts += [_heard(segment), _known_by(segment)]
    return "  ".join(_printable(part) for part in parts if part)


def _cells(segment: Segment) -> Iterable[Text]:
    colour = _COLOURS.get(segment["state"], "")
    yield _plain(segment["id"])
    yield _plain(segment["room"])
    yield Text(segment["state"], colour)
    yield _plain(_heard(segment))
    yield _plain(_known_by(segment))
    yield _plain(segment["source"]["name"] or segment["source"]["kind"])


def _heard(segment: Segment) -> str:
    position, duration = segment["position"], segment["audio"]["duration"]
    return f"{position:.1f} s" if duration is None else f"{position:.1f} of {duration:.1f} s"


def _known_by(segment: Segment) -> str:
    """Return how its end is known, and what ended it early or why."""
    receipt = "" if segment["receipt"] == "none" else segment["receipt"]
    by = f"by {segment['ended_by']}" if segment["ended_by"] else ""
    error = (segment["error"] or {}).get("type") or ""
    return ", ".join(part for part in (receipt, by, error) if part)


def _plain(text: str) -> Text:
    return Text(_printable(text), no_wrap=True, overflow="ellipsis")


def _printable(text: str) -> str:
    """Return ``text`` without what a terminal would obey: names are anybody's."""
    return "".join(character if character.isprintable() else "�" for character in text)
