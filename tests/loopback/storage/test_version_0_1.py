"""The data folder of version 0.1 is opened: its segments are listed, and what waited there goes on.

``data_of_version_0_1.zip`` was written by that version (commit 50bfdda), killed with its log still unread: a segment in
each state, and the sounds of those that had not ended.
"""

from __future__ import annotations

import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from mouthpiece.audio.decoders import Decoders
from mouthpiece.audio.pcm import Pcm
from mouthpiece.errors import SoundNotKept
from mouthpiece.segments import AttemptState, Mode, OnLoss, Receipt, Segment, State
from mouthpiece_sender.sounds.sound import Sound
from mouthpiece_sender.speech.voices import Voices
from mouthpiece_sender.storage.retention import Limits, Retention
from mouthpiece_sender.storage.spool import Spool
from mouthpiece_sender.storage.store import Store
from mouthpiece_sender.stored_sounds import StoredSounds
from tests.loopback.sender.conftest import Start, running

ARCHIVE = Path(__file__).with_name("data_of_version_0_1.zip")
ENDED = [
    *(State.FINISHED, State.INTERRUPTED, State.CANCELLED, State.EXPIRED, State.IGNORED, State.FAILED, State.UNKNOWN),
]
WAITING = [State.PLAYING, State.PAUSED, *[State.QUEUED] * 5]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(tmp_path / "data")
    return tmp_path / "data"


@asynccontextmanager
async def opened(data: Path) -> AsyncIterator[tuple[Store, Spool]]:
    async with Store(data / "mouthpiece.db") as store, Spool(data / "sounds") as spool:
        yield store, spool


async def tone(sound: Sound) -> Pcm:
    async with sound.open() as coming:
        blocks = [block async for block in coming]
    return Pcm(np.concatenate([block.samples for block in blocks]), blocks[0].sample_rate)


async def test_every_segment_is_listed_as_it_was(data: Path) -> None:
    async with opened(data) as (store, _):
        listed = (await store.list("demo", limit=100)).segments[::-1]
    assert [segment.state for segment in listed] == ENDED + WAITING
    finished, interrupted, *_, failed, unknown, playing, paused = listed[:9]
    assert (finished.receipt, finished.position, finished.source.name) == (Receipt.CONFIRMED, 0.3, "finished.wav")
    assert finished.viewers.end == 1
    assert (interrupted.interrupted, interrupted.position) == (True, 0.2)
    assert (failed.error and failed.error.type, unknown.error and unknown.error.type) == (
        "avatar-timeout",
        "avatar-left",
    )
    assert (listed[4].mode, unknown.on_loss) == (Mode.IGNORE, OnLoss.REPLAY)
    assert [(one.number, one.state, one.position) for one in finished.attempts] == [(1, AttemptState.FINISHED, 0.3)]
    assert [(one.number, one.state, one.position) for one in interrupted.attempts] == [
        (1, AttemptState.INTERRUPTED, 0.2)
    ]
    assert [(one.number, one.state, one.offset) for one in unknown.attempts] == [
        (1, AttemptState.LOST, 0.0),
        (2, AttemptState.LOST, 0.1),
    ]
    assert finished.attempts[0].avatar == "avatar-mouthpiece"
    assert all(one.attempts[-1].state is AttemptState.OPEN for one in (playing, paused))
    assert not any(one.attempts for one in listed[9:])


async def test_it_stays_as_it_is_when_it_is_opened_again(data: Path) -> None:
    seen: list[list[Segment]] = []
    for _ in range(2):
        async with opened(data) as (store, _):
            seen.append(list((await store.list("demo", limit=100)).segments))
    assert seen[0] == seen[1]


async def test_what_waited_has_its_sound_whatever_it_was_sent_as(data: Path) -> None:
    async with opened(data) as (store, spool), Decoders() as decoders, Voices() as speech:
        sounds = StoredSounds(spool, decoders, speech)
        async with Retention(store, spool, Limits()):
            waiting = [segment for segment, _ in await store.unfinished()]
            files = [segment for segment in waiting if segment.source.kind == "file"]
            assert (await spool.sizes()).keys() == {segment.id for segment in files}
            heard = [await tone(await sounds.sound(segment)) for segment in files]
        for one in heard:  # a WAV, little-endian samples and big-endian ones
            assert one.sample_rate == 8000
            assert np.array_equal(one.samples, heard[0].samples)
            assert len(one.samples) == 2400
        with pytest.raises(SoundNotKept):
            await sounds.sound((await store.list("demo", states=[State.FINISHED])).segments[0])


@pytest.fixture
def start(tmp_path: Path, data: Path) -> Start:
    """For services over the folder of version 0.1."""
    return lambda **changes: running(tmp_path, **changes)


async def test_a_service_goes_on_with_it(data: Path, start: Start) -> None:
    async with start() as sender:
        listed = (await sender.client.get("/v1/rooms/demo/segments")).json()["segments"][::-1]
        assert [one["state"] for one in listed][: len(ENDED)] == ENDED
        waiting = listed[len(ENDED) :]
        # The first two were being said; nobody is there to be asked what was heard. The last one expired meanwhile.
        assert [one["state"] for one in waiting[2:]] == ["queued"] * 4 + ["expired"]
        assert not {one["state"] for one in waiting[:2]} & {"queued", "cancelled", "failed"}
        said = await sender.client.post("/v1/rooms/demo/segments", json={"text": "And on."})
        assert said.status_code == 202
        assert (data / "instance").read_text() == "0a1b2c3d\n"
