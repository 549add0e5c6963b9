"""The bar of a film."""

from __future__ import annotations

import io

from mouthpiece_avatar.film.progress import watched


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self, step: float) -> None:
        self.now, self._step = 0.0, step

    def __call__(self) -> float:
        self.now += self._step
        return self.now


def test_on_a_terminal_it_says_how_far_it_is_and_how_fast() -> None:
    terminal = Terminal()
    assert list(watched(range(100), 100, terminal, per_second=25, clock=Clock(0.02))) == list(range(100))
    lines = terminal.getvalue().split("\r")
    assert 10 < len(lines) < 30, "a line every tenth of a second"
    assert lines[-1].startswith("[##############################] 100 %  4.0 of 4.0 s, 2.0 times real time")
    assert lines[-1].endswith("\n")


def test_elsewhere_it_says_nothing() -> None:
    log = io.StringIO()
    assert len(list(watched(range(100), 100, log, per_second=25))) == 100
    assert log.getvalue() == ""
