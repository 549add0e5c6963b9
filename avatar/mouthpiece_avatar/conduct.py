"""How an avatar behaves towards its room. This one does as docs/wire.md says; :mod:`mouthpiece_avatar.testing` has
others, which do not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass

from mouthpiece.audio.pcm import Samples
from mouthpiece.receiving.stream_receiver import StreamSink
from mouthpiece_avatar.playout import Finished, PlayoutQueue, Started
from mouthpiece_avatar.playout_stream import PlayoutStream
from mouthpiece_avatar.receipts import Receipts


@dataclass(frozen=True, slots=True)
class SessionParts:
    """What a conduct acts on: the parts of one session."""

    playout: PlayoutQueue
    receipts: Receipts
    wake: Callable[[], None]
    """Call it after a change of ``playout``."""
    spawn: Callable[[Coroutine[None, None, None]], object]
    """Starts a task that ends with the session."""
    end: Callable[[str], None]
    """Ends the session, for a reason."""


class Conduct:
    """Of one session."""

    announces: bool = True
    """It sets the attribute ``mouthpiece.avatar`` and answers ``mouthpiece.status``."""

    acknowledged: bool = True
    """Sound counts as heard once LiveKit has acknowledged it, and is held while LiveKit takes none
    (:mod:`mouthpiece_avatar.delivery`). That needs the feedback that a moving picture brings."""

    async def before_joining(self) -> None:
        """Awaited before the avatar joins its room."""

    def sink(self, parts: SessionParts) -> StreamSink[PlayoutStream]:
        """Return what the streams of the room go to; called once."""
        return parts.playout

    def report(self, event: Started | Finished, receipts: Receipts) -> None:
        """Tell the sender of a stream what became of it."""
        receipts.report(event)

    async def answer(self, method: str, caller: str, right: Callable[[], Awaitable[str]]) -> str:
        """Answer a call.

        :param right: makes the answer that is right.
        :raises RpcError: it is refused.
        """
        return await right()

    def track(self, index: int, samples: Samples) -> Samples:
        """Return what goes into the audio source in the place of ``samples``, as many.

        :param index: of the first of them, counted over everything that went into it.
        """
        return samples
