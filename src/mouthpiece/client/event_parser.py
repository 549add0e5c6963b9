"""Reads server-sent events (WHATWG HTML, 9.2.6) line by line. No I/O."""

from __future__ import annotations

import json

from mouthpiece.client.values import Event


class EventParser:
    """``last`` is the id of the last event: a stream that is opened again goes on after it."""

    def __init__(self, last: str | None) -> None:
        self.last = last
        self._data: list[str] = []
        self._id: str | None = None

    def line(self, line: str) -> Event | None:
        """Take a line without its end; return the event that it completes."""
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "data":
                self._data.append(value)
            elif name == "id":
                self._id = value
            return None
        data, self._data = self._data, []
        id, self._id = self._id, None
        self.last = id or self.last  # also without data: where a stream begins
        if not data:
            return None
        event: Event = json.loads("\n".join(data))
        return event

    def restart(self) -> None:
        """The stream was cut: what was not complete comes again."""
        self._data, self._id = [], None

    @property
    def headers(self) -> dict[str, str]:
        """Of the request that opens the stream."""
        known = {} if self.last is None else {"Last-Event-ID": self.last}
        return {"Accept": "text/event-stream", "Cache-Control": "no-store"} | known
