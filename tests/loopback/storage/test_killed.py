"""A process that accepts segments is killed at any moment: what it had accepted is there, and nothing half."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from mouthpiece.segments import State
from mouthpiece_sender.storage.recovery import end_unfinished_segments
from mouthpiece_sender.storage.spool import Spool
from mouthpiece_sender.storage.store import Store

BODY = bytes(range(256)) * 400

ACCEPTING = """
import asyncio, itertools, sys
from pathlib import Path
from mouthpiece.segments import AudioInfo, Segment, Source, new_segment_id, utc_now
from mouthpiece_sender.storage.spool import Spool
from mouthpiece_sender.storage.store import Store

async def body():
    for start in range(0, 102_400, 10_240):
        yield (bytes(range(256)) * 400)[start:start + 10_240]

async def accept(store, spool):
    while True:
        id = new_segment_id()
        await spool.store(id, body())
        sound = AudioInfo(16_000, 1, 3.2)
        await store.accept(Segment(id=id, room="demo", source=Source("file"), audio=sound, created_at=utc_now()))
        print(id, flush=True)

async def main():
    async with Store(Path(sys.argv[1]) / "store.db") as store, Spool(Path(sys.argv[1]) / "spool") as spool:
        await asyncio.gather(*(accept(store, spool) for _ in range(4)))

asyncio.run(main())
"""


def accept_until_killed(folder: Path, enough: int) -> set[str]:
    """The ids that the process printed as accepted: ``enough`` of them, and those printed before the signal arrived."""
    process = subprocess.Popen([sys.executable, "-c", ACCEPTING, folder], stdout=subprocess.PIPE)
    assert process.stdout is not None
    printed = [process.stdout.readline() for _ in range(enough)]
    process.kill()
    printed += process.stdout.read().splitlines(keepends=True)
    process.stdout.close()
    process.wait()
    return {line.decode().strip() for line in printed if line.endswith(b"\n")}


@pytest.mark.parametrize("seed", range(4))
async def test_what_was_accepted_survives_a_kill_the_next_instant(tmp_path: Path, seed: int) -> None:
    enough = random.Random(seed).randrange(1, 40)
    accepted = accept_until_killed(tmp_path, enough)
    assert len(accepted) >= enough

    spooled = {file.name: file.read_bytes() for file in (tmp_path / "spool").iterdir()}
    async with Store(tmp_path / "store.db") as store, Spool(tmp_path / "spool") as spool:
        kept = {segment.id for segment, _ in await store.unfinished()}
        assert accepted <= kept
        assert {spooled[id] for id in kept} == {BODY}
        assert await end_unfinished_segments(store, spool) == len(kept)
        page = await store.list("demo", states=[State.FAILED], limit=1000)
        assert {segment.id for segment in page.segments} == kept
    assert list((tmp_path / "spool").iterdir()) == []
