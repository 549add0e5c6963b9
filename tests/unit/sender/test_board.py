"""What ``mouthpiece watch`` shows, from snapshots and events in any order."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from mouthpiece.client.values import Event, Segment
from mouthpiece_sender.cli.board import LAST, Board
from mouthpiece_sender.cli.board_view import event_line, tables


def segment(id: str, state: str, *, room: str = "demo", **more: Any) -> Segment:
    made: dict[str, Any] = {
        "id": id,
        "room": room,
        "state": state,
        "receipt": "none",
        "position": 0.5,
        "audio": {"duration": 2.0},
        "source": {"name": None, "kind": "text", "text": "nobody's business"},
        "ended_by": None,
        "error": None,
        "finished_at": None,
    }
    return made | more  # type: ignore[return-value]


def event(type: str, shown: Segment | None, avatar: str | None = None) -> Event:
    room = "demo" if shown is None else shown["room"]
    return {"id": "1", "type": type, "at": "2026-01-01T00:00:00Z", "room": room, "avatar": avatar, "segment": shown}


def room(name: str, *avatars: str, viewers: int = 1) -> dict[str, Any]:
    return {"room": name, "avatars": [{"identity": one} for one in avatars], "viewers": viewers, "paused": False}


def shown(board: Board, height: int = 40) -> str:
    console = Console(width=160, height=height, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.capture() as captured:
        console.print(tables(board, height=height))
    console.file.close()
    return captured.get()


def test_a_segment_is_shown_from_its_acceptance_to_its_receipt() -> None:
    board = Board()
    board.take_rooms([room("demo", "avatar-mia", viewers=2)], [])
    for state in ("queued", "playing"):
        board.take_event(event(f"segment.{state}", segment("seg_1", state)))
        assert [one["state"] for one in board.active] == [state]
    board.take_event(event("segment.finished", segment("seg_1", "finished", receipt="confirmed", position=2.0)))
    assert (list(board.active), [one["id"] for one in board.ended]) == ([], ["seg_1"])
    text = shown(board)
    assert "avatar-mia" in text
    assert "2.0 of 2.0 s" in text
    assert "confirmed" in text
    assert "business" not in text


def test_a_late_event_does_not_bring_a_segment_back_that_has_ended() -> None:
    board = Board()
    board.take_segment(segment("seg_1", "finished"))
    board.take_event(event("segment.playing", segment("seg_1", "playing")))
    assert not board.active


def test_what_a_snapshot_lacks_is_to_be_looked_up() -> None:
    board = Board()
    board.take_event(event("segment.playing", segment("seg_1", "playing")))
    board.take_event(event("segment.queued", segment("seg_2", "queued")))
    board.take_event(event("segment.finished", segment("seg_3", "finished")))
    assert board.take_rooms([room("demo")], [segment("seg_2", "playing")]) == ["seg_1"]
    board.forget("seg_1")
    assert [one["id"] for one in board.active] == ["seg_2"]


def test_what_plays_comes_first_then_in_the_order_of_acceptance_and_few_that_have_ended() -> None:
    board = Board()
    for number in range(9):
        board.take_segment(segment(f"seg_{number}", "playing" if number == 5 else "queued"))
    for number in range(3 * LAST):
        board.take_segment(segment(f"end_{number:02}", "finished", finished_at=f"2026-01-01T00:00:{number:02}Z"))
    assert [one["id"] for one in board.active][:3] == ["seg_5", "seg_0", "seg_1"]
    assert [one["id"] for one in board.ended] == [f"end_{3 * LAST - 1 - number:02}" for number in range(LAST)]


def test_avatars_come_and_go_and_a_closed_room_is_gone() -> None:
    board = Board()
    for type in ("room.avatar_joined", "room.avatar_joined"):
        board.take_event(event(type, None, "avatar-mia"))
    assert [line.avatars for line in board.rooms] == [["avatar-mia"]]
    board.take_event(event("room.avatar_left", None, "avatar-mia"))
    assert [line.avatars for line in board.rooms] == [[]]
    board.take_event(event("room.closed", None))
    assert not board.rooms


def test_a_gap_changes_nothing() -> None:
    board = Board()
    board.take_event({"type": "gap", "after": "1", "reached": "9"})
    assert not board.rooms


def test_a_table_is_never_higher_than_the_terminal() -> None:
    board = Board()
    for number in range(200):
        board.take_segment(segment(f"seg_{number:03}", "queued", room=f"room-{number}"))
    assert len(shown(board, 20).splitlines()) <= 20


def test_names_reach_the_terminal_without_what_it_would_obey() -> None:
    board = Board()
    source = {"name": "\x1b[31mred\x07 [bold]", "kind": "file"}
    board.take_segment(segment("seg_1", "failed", room="a\x1b]0;title\x07", source=source))
    text = shown(board)
    assert "\x07" not in text
    assert "\x1b]" not in text
    assert "[bold]" in text
    line = event_line(event("segment.failed", segment("seg_1", "failed", room="a\x1b[2J\nb")))
    assert line.isprintable()


def test_a_line_says_how_an_end_is_known_and_why() -> None:
    why = {"type": "avatar-left"}
    ended = segment("seg_1", "unknown", receipt="unknown", ended_by="avatar", error=why)
    line = event_line(event("segment.unknown", ended, "avatar-mia"))
    assert line == (
        "2026-01-01T00:00:00Z  seg_1  demo  segment.unknown  avatar-mia  0.5 of 2.0 s  unknown, by avatar, avatar-left"
    )
