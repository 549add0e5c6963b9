"""A bound on the bytes that requests hold in memory together, with a share for each caller."""

from __future__ import annotations

from collections import Counter


class ByteBudget:
    """:param total: bytes.
    :param share: bytes of one holder: one caller cannot use up everybody's.
    """

    def __init__(self, total: int, share: int) -> None:
        self._total = total
        self._share = share
        self._held: Counter[str] = Counter()
        self.held = 0
        """Bytes, by all."""

    def take(self, holder: str, size: int, share: int | None = None) -> bool:
        """Hold ``size`` more bytes; False: there is no room, and nothing was taken.

        :param share: bytes of this holder, where it has fewer than others.
        """
        most = self._share if share is None else min(share, self._share)
        if self.held + size > self._total or self._held[holder] + size > most:
            return False
        self._held[holder] += size
        self.held += size
        return True

    def give(self, holder: str, size: int) -> None:
        """Let go of ``size`` bytes."""
        self._held[holder] -= size
        self.held -= size
        if not self._held[holder]:
            del self._held[holder]
