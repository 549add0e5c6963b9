"""Which avatars of a room are paused: all of them, those that come later included, or some."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass
class Pauses:
    """Avatars are named by their identity; None stands for all."""

    _paused: set[str | None] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self._paused)

    def __iter__(self) -> Iterator[str | None]:
        return iter(list(self._paused))

    def holds(self, avatar: str | None) -> bool:
        """Whether an avatar is paused. None: whether those are that no one knows yet."""
        return None in self._paused or avatar in self._paused

    def pause(self, avatar: str | None) -> None:
        self._paused.add(avatar)

    def resume(self, avatar: str | None, others: Iterable[str | None] = ()) -> None:
        """
        :param others: the other avatars that are known: they stay paused where all were.
        """
        if avatar is None:
            self._paused.clear()
        elif None in self._paused:
            self._paused = {other for other in others if other not in (None, avatar)}
        else:
            self._paused.discard(avatar)
