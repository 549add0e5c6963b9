"""Tickets: what they open, and for how long."""

from __future__ import annotations

import pytest

from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.api.tickets import Tickets


def test_a_ticket_ends_with_its_time_and_with_its_process() -> None:
    now = 1000.0
    tickets = Tickets(lambda: now)
    ticket = tickets.issue("a room/é", ["events"], 60)
    caller = tickets.admit(ticket, "GET", "/v1/rooms/a room/é/events")
    assert caller.may("a room/é")
    assert not caller.may("a room/é2")
    now = 1060.0
    with pytest.raises(ApiProblem, match="expired"):
        tickets.admit(ticket, "GET", "/v1/rooms/a room/é/events")
    now = 1000.0
    with pytest.raises(ApiProblem, match="restart"):
        Tickets(lambda: now).admit(ticket, "GET", "/v1/rooms/a room/é/events")
    with pytest.raises(ApiProblem, match="something else"):
        tickets.admit(ticket, "POST", "/v1/rooms/a room/é/events")
