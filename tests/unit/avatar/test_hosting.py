"""The figures of sessions, added up and passed between processes."""

from __future__ import annotations

import json
from collections import Counter

from mouthpiece_avatar.hosting import Figures, SessionInfo, Totals


def test_figures_come_through_json_as_they_were() -> None:
    session = SessionInfo("ses_1", "lobby", "avatar-mia", "mia", "live", True, False, 1.5, 20.0)
    totals = Totals(ended=Counter({"ended by request": 2}), pictures=Counter(sent=7, late=0))
    figures = Figures([session], totals, 3)
    assert Figures.of_json(json.loads(json.dumps(figures.as_json()))) == figures


def test_sums_are_added_and_what_was_added_stays_as_it_was() -> None:
    one, other = Totals(streams=Counter(ended=1)), Totals(streams=Counter(ended=2, cleared=1), pictures=Counter(sent=5))
    one.update(other)
    one.update(other)
    assert one == Totals(streams=Counter(ended=5, cleared=2), pictures=Counter(sent=10))
    assert other == Totals(streams=Counter(ended=2, cleared=1), pictures=Counter(sent=5))
