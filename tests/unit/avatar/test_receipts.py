"""Which receipts senders get, in which order, and what happens when they do not take them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest
from livekit import rtc

from mouthpiece import wire
from mouthpiece_avatar import receipts as receipts_module
from mouthpiece_avatar.playout import Finished, Started
from mouthpiece_avatar.playout_stream import RATE, PlayoutStream
from mouthpiece_avatar.receipts import TRIES, Receipts
from tests.unit.receiving.fakes import FakeTasks


class Senders:
    """Takes receipts, or raises what ``answer`` does."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str]] = []
        self.answer: Callable[[str, str], None] = lambda *_: None
        self.present = {"a", "b"}
        self.hold: dict[str, asyncio.Event] = {}
        self.tasks = FakeTasks()
        self.slept: list[float] = []
        self.receipts = Receipts(
            self._perform, spawn=self.tasks.spawn, present=lambda who: who in self.present, sleep=self._sleep
        )

    async def _perform(
        self, *, destination_identity: str, method: str, payload: str, response_timeout: float | None
    ) -> str:
        if destination_identity in self.hold:
            await self.hold[destination_identity].wait()
        self.calls.append((destination_identity, method, payload))
        self.answer(destination_identity, method)
        return "ok"

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def methods(self) -> list[str]:
        return [method for _, method, _ in self.calls]


@pytest.fixture
async def senders() -> AsyncIterator[Senders]:
    made = Senders()
    yield made
    await made.tasks.cancel()


def stream(sender: str = "a", segment: str | None = None, seconds: float = 0.0) -> PlayoutStream:
    made = PlayoutStream(sender, wire.StreamHeader(16_000, 1, segment))
    made.left = round(seconds * RATE)
    return made


def refuse(code: int) -> Callable[[str, str], None]:
    def answer(*_: str) -> None:
        raise rtc.RpcError(code, "refused")

    return answer


async def test_a_stream_without_an_id_gets_the_stock_receipts_and_no_extra_keys(senders: Senders) -> None:
    spoken = stream(seconds=1.25)
    senders.receipts.report(Started(spoken))
    senders.receipts.report(Finished(spoken, interrupted=True))
    await senders.tasks.settle()
    assert senders.methods() == [wire.RPC_PLAYBACK_STARTED, wire.RPC_PLAYBACK_FINISHED]
    assert senders.calls[0][2] == ""
    assert json.loads(senders.calls[1][2]) == {"playback_position": 1.25, "interrupted": True}
    assert not senders.tasks.running


async def test_a_stream_with_an_id_gets_ours_besides(senders: Senders) -> None:
    spoken = stream(segment="seg_1", seconds=0.5)
    senders.receipts.report(Started(spoken))
    senders.receipts.report(Finished(spoken, interrupted=False))
    await senders.tasks.settle()
    assert senders.methods() == [
        wire.RPC_PLAYBACK,
        wire.RPC_PLAYBACK_STARTED,
        wire.RPC_PLAYBACK,
        wire.RPC_PLAYBACK_FINISHED,
    ]
    assert json.loads(senders.calls[0][2]) == {
        "segment": "seg_1",
        "event": "started",
        "position": 0.0,
        "interrupted": False,
    }
    assert wire.PlaybackReceipt.loads(senders.calls[2][2]) == wire.PlaybackReceipt("seg_1", "finished", 0.5, False)


async def test_ours_carry_the_number_of_the_attempt_and_the_stock_ones_do_not(senders: Senders) -> None:
    spoken = PlayoutStream("a", wire.StreamHeader(16_000, 1, "seg_1", 4))
    senders.receipts.report(Started(spoken))
    senders.receipts.report(Finished(spoken, interrupted=True))
    await senders.tasks.settle()
    ours = [payload for _, method, payload in senders.calls if method == wire.RPC_PLAYBACK]
    assert [wire.PlaybackReceipt.loads(payload).attempt for payload in ours] == [4, 4]
    assert json.loads(senders.calls[-1][2]).keys() == {"playback_position", "interrupted"}


async def test_a_sender_that_knows_no_receipts_is_asked_once_a_method(senders: Senders) -> None:
    senders.answer = refuse(rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD)
    for _ in range(3):
        senders.receipts.report(Finished(stream(), interrupted=False))
        await senders.tasks.settle()
    assert senders.methods() == [wire.RPC_PLAYBACK_FINISHED]
    assert senders.receipts.dropped[wire.RPC_PLAYBACK_FINISHED] == 3


async def test_a_sender_that_came_back_is_asked_again(senders: Senders) -> None:
    senders.answer = refuse(rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD)
    senders.receipts.report(Finished(stream(), interrupted=False))
    await senders.tasks.settle()
    senders.receipts.gone("a")
    senders.answer = lambda *_: None
    senders.receipts.report(Finished(stream(), interrupted=False))
    await senders.tasks.settle()
    assert senders.receipts.delivered[wire.RPC_PLAYBACK_FINISHED] == 1


async def test_a_receipt_is_tried_again_a_bounded_number_of_times(senders: Senders) -> None:
    senders.answer = refuse(rtc.RpcError.ErrorCode.RESPONSE_TIMEOUT)
    senders.receipts.report(Finished(stream(), interrupted=False))
    await senders.tasks.settle()
    assert len(senders.calls) == TRIES
    assert len(senders.slept) == TRIES - 1
    assert not senders.tasks.running


async def test_one_that_does_not_answer_holds_up_nobody_else_and_keeps_the_order(senders: Senders) -> None:
    senders.hold["a"] = asyncio.Event()
    first, second = stream("a", seconds=1), stream("a", seconds=2)
    for spoken in (first, second):
        senders.receipts.report(Finished(spoken, interrupted=False))
    senders.receipts.report(Finished(stream("b"), interrupted=False))
    await senders.tasks.settle()
    assert [who for who, _, _ in senders.calls] == ["b"]
    senders.hold["a"].set()
    await senders.tasks.settle()
    positions = [json.loads(payload)["playback_position"] for who, _, payload in senders.calls if who == "a"]
    assert positions == [1.0, 2.0]


async def test_nothing_is_sent_to_one_that_left(senders: Senders) -> None:
    senders.present.clear()
    senders.receipts.report(Started(stream()))
    await senders.tasks.settle()
    assert senders.calls == []
    assert senders.receipts.dropped[wire.RPC_PLAYBACK_STARTED] == 1


async def test_what_waits_for_one_sender_is_bounded(senders: Senders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts_module, "KEPT", 3)
    senders.hold["a"] = asyncio.Event()
    for seconds in range(10):
        senders.receipts.report(Finished(stream(seconds=seconds), interrupted=False))
    await senders.tasks.settle()
    senders.hold["a"].set()
    await senders.tasks.settle()
    positions = [json.loads(payload)["playback_position"] for _, _, payload in senders.calls]
    assert positions[-3:] == [7.0, 8.0, 9.0]
    assert len(positions) <= 4
