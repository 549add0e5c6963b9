"""Who is next where many wait and some of them belong together. No I/O."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class TurnsByHolder(Generic[T]):
    """A queue in which the holders of keys take turns: one who waits for many things holds another up by one of them.
    Of one holder, first in, first out."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[T]] = {}
        """Of each holder that waits, in the order of their turns."""

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def put(self, holder: str, one: T) -> None:
        """Wait. A holder of whom nothing waits comes after those of whom something does."""
        self._waiting.setdefault(holder, deque()).append(one)

    def take(self) -> T:
        """Whoever is next; its holder comes last then.

        :raises LookupError: nobody waits.
        """
        if not self._waiting:
            raise LookupError("nobody waits")
        holder = next(iter(self._waiting))
        own = self._waiting.pop(holder)
        one = own.popleft()
        if own:
            self._waiting[holder] = own
        return one

    def discard(self, holder: str, one: T) -> None:
        """Wait no more; nothing if it has had its turn."""
        own = self._waiting.get(holder, deque())
        if one in own:
            own.remove(one)
            if not own:
                del self._waiting[holder]
