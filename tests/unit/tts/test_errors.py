"""Whatever goes wrong, at any moment: an event, an error of the tree that says whether to retry, and the next text is
spoken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from mouthpiece.errors import ConfigurationError, MouthpieceError, TTSError
from mouthpiece.tts import (
    PcmData,
    SynthesisState,
    TTSAuthError,
    TTSBadText,
    TTSNoSound,
    TTSProviderFailed,
    TTSRateLimited,
    TTSStreamCut,
    TTSTimeout,
    TTSUnavailable,
    errors,
)
from tests.unit.tts.fakes import Ear, Plain, Silent, tone


class VendorError(Exception):
    """As SDKs make them."""

    def __init__(self, status_code: int, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"status {status_code}, you said: hello")
        self.status_code = status_code
        self.headers = headers


class APITimeoutError(Exception):
    pass


class APIConnectionError(Exception):
    pass


CASES: dict[str, tuple[BaseException, type[TTSError], bool]] = {
    "401": (VendorError(401), TTSAuthError, False),
    "429": (VendorError(429, {"Retry-After": "7"}), TTSRateLimited, True),
    "503": (VendorError(503), TTSUnavailable, True),
    "its own time-out": (TimeoutError(), TTSTimeout, True),
    "an SDK's time-out": (APITimeoutError(), TTSTimeout, True),
    "an SDK without a connection": (APIConnectionError(), TTSUnavailable, True),
    "no network": (ConnectionRefusedError(), TTSUnavailable, True),
    "a bug": (KeyError("hello"), TTSProviderFailed, False),
    "an error of ours": (ConfigurationError("no key"), TTSProviderFailed, False),
    "an error of the tree": (TTSAuthError("no"), TTSAuthError, False),
}


def at_once(error: BaseException) -> Plain:
    def answer(text: str) -> Any:
        raise error

    return Plain(answer)


def before_the_first_chunk(error: BaseException) -> Plain:
    async def answer(text: str) -> AsyncIterator[PcmData]:
        if error:
            raise error
        yield tone(0.1)

    return Plain(answer)


def in_a_thread(error: BaseException) -> Plain:
    def answer(text: str) -> Iterator[PcmData]:
        if error:
            raise error
        yield tone(0.1)

    return Plain(answer)


@pytest.mark.parametrize("when", [at_once, before_the_first_chunk, in_a_thread])
@pytest.mark.parametrize("case", CASES)
async def test_an_error_becomes_an_event_and_an_exception_and_the_next_text_is_spoken(case: str, when: Any) -> None:
    cause, kind, retryable = CASES[case]
    tts = when(cause)
    ear = Ear(tts)
    with pytest.raises(kind) as caught:
        await tts.send("hello")
    assert type(caught.value) is kind
    assert caught.value.retryable is retryable
    assert ear.kinds == ["synthesis_start", "error"]
    assert ear.error.error is caught.value
    assert ear.error.retryable is retryable
    assert ear.error.error_code == kind.slug
    assert "hello" not in str(caught.value)
    if caught.value is not cause:
        assert caught.value.__cause__ is cause
    assert not tts._jobs._readers

    tts.answer = lambda _: tone(0.1)
    await tts.send("hello again")
    assert ear.frames == 1_600


async def test_a_rate_limit_says_when_to_come_again() -> None:
    with pytest.raises(TTSRateLimited, match=r"Try again in 7 s\.") as caught:
        await at_once(VendorError(429, {"retry-after": "7"})).send("hello")
    assert caught.value.retry_after == 7


@pytest.mark.parametrize("error", [VendorError(503), ConnectionResetError(), TimeoutError()])
async def test_a_stream_that_breaks_off_gives_what_had_come_and_then_says_that_it_was_cut(error: Exception) -> None:
    async def answer(text: str) -> AsyncIterator[PcmData]:
        yield tone(0.5, 24_000)
        yield tone(0.5, 24_000)
        raise error

    tts = Plain(answer)
    ear = Ear(tts)
    synthesis = tts.synthesize("hello")

    async def take() -> None:
        async for _ in synthesis:
            pass

    with pytest.raises(TTSStreamCut, match="broke off") as caught:
        await take()
    assert caught.value.retryable
    assert ear.frames == 16_000
    assert ear.kinds == ["synthesis_start", "audio", "audio", "audio", "error"]
    assert synthesis.state is SynthesisState.FAILED


async def test_a_provider_that_gives_no_sound_in_time_is_given_up() -> None:
    tts = Silent()
    tts.first_audio_timeout = 0.001
    ear = Ear(tts)
    with pytest.raises(TTSTimeout, match="no sound in time"):
        await tts.send("hello")
    assert ear.kinds == ["synthesis_start", "error"]


async def test_a_provider_that_stalls_in_the_middle_is_given_up() -> None:
    async def answer(text: str) -> AsyncIterator[PcmData]:
        yield tone(0.1)
        await asyncio.Event().wait()

    tts = Plain(answer)
    tts.stall_timeout = 0.001
    with pytest.raises(TTSStreamCut):
        await tts.send("hello")


async def test_a_text_without_sound_is_an_error_not_a_success() -> None:
    tts = Plain(lambda _: [])
    ear = Ear(tts)
    with pytest.raises(TTSNoSound, match="may not know its language"):
        await tts.send("hello")
    assert ear.kinds == ["synthesis_start", "error"]


@pytest.mark.parametrize("answer", [b"bytes", "text", 7, None, [b"bytes"], [None]])
async def test_an_answer_that_is_no_sound_says_what_to_give(answer: Any) -> None:
    with pytest.raises(TTSProviderFailed) as caught:
        await Plain(lambda _: answer).send("hello")
    assert "stream_audio must give PcmData or an iterator of them" in str(caught.value)


@pytest.mark.parametrize("text", ["", "   ", "\n"])
async def test_a_text_without_words_is_refused_before_the_provider_is_asked(text: str) -> None:
    tts = Plain(lambda _: tone(0.1))
    ear = Ear(tts)
    with pytest.raises(TTSBadText, match="no text to speak"):
        await tts.send(text)
    assert ear.kinds == ["synthesis_start", "error"]
    assert tts.asked == []


async def test_an_error_that_answers_a_stop_is_not_reported() -> None:
    entered = asyncio.Event()

    async def answer(text: str) -> AsyncIterator[PcmData]:
        entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ConnectionResetError from None
        yield tone(0.1)

    tts = Plain(answer)
    ear = Ear(tts)
    sending = asyncio.create_task(tts.send("hello"))
    await entered.wait()
    await tts.stop_audio()
    await sending
    assert ear.kinds == ["synthesis_start", "synthesis_complete"]


async def cancelled_by_a_library() -> None:
    """As a library does when its connection is lost: it cancels its own task, which the provider awaits."""
    inner = asyncio.ensure_future(asyncio.Event().wait())
    asyncio.get_running_loop().call_soon(inner.cancel)
    await inner


@pytest.mark.parametrize("chunks", [0, 1])
async def test_a_provider_that_is_cancelled_from_inside_keeps_nobody_waiting(chunks: int) -> None:
    async def answer(text: str) -> AsyncIterator[PcmData]:
        for _ in range(chunks):
            yield tone(0.1)
        await cancelled_by_a_library()
        yield tone(0.1)

    tts = Plain(answer)
    ear = Ear(tts)
    async with asyncio.timeout(10):
        with pytest.raises(TTSProviderFailed, match="was cancelled from inside"):
            await tts.send("hello")
    assert ear.kinds == ["synthesis_start", *["audio"] * chunks, "error"]
    assert not tts._jobs._readers
    tts.answer = lambda _: tone(0.1)
    await tts.send("hello again")
    assert ear.audio[-1].is_final_chunk


async def test_a_provider_that_is_cancelled_from_inside_by_a_stop_was_stopped() -> None:
    entered = asyncio.Event()

    async def answer(text: str) -> AsyncIterator[PcmData]:
        inner = asyncio.ensure_future(asyncio.Event().wait())
        entered.set()
        try:
            await inner
        finally:
            inner.cancel()
        yield tone(0.1)

    tts = Plain(answer)
    ear = Ear(tts)
    sending = asyncio.create_task(tts.send("hello"))
    await entered.wait()
    await tts.stop_audio()
    await sending
    assert ear.kinds == ["synthesis_start", "synthesis_complete"]


def test_the_tree_of_the_docstring_is_the_tree_of_the_code() -> None:
    drawn = {
        line.split("──")[1].split()[0]: line.rstrip().endswith("retry")
        for line in (errors.__doc__ or "").splitlines()
        if "──" in line
    }
    leaves = {name: getattr(errors, name) for name in errors.__all__ if name != "TTSError"}
    assert {name: kind.retryable for name, kind in leaves.items()} == drawn
    assert all(issubclass(kind, MouthpieceError) for kind in leaves.values())
    assert len({kind.slug for kind in leaves.values()}) == len(leaves)
