"""A process that accepts segments is killed at any moment: what it had accepted is there, and nothing half."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import pytest

from mouthpiece.segments import utc_now
from mouthpiece_sender.storage.journal import KnownKey
from mouthpiece_sender.storage.retention import Limits, Retention
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
        async with Retention(store, spool, Limits()):
            assert (await spool.sizes()).keys() == kept


TIMES = 200
FORKING = """
import asyncio, os, signal, sys
from pathlib import Path
from mouthpiece.segments import AttemptRecord, AudioInfo, Event, Segment, Source, new_segment_id, utc_now
from mouthpiece_sender.storage.journal import IdempotencyKey
from mouthpiece_sender.storage.spool import Spool
from mouthpiece_sender.storage.store import Store

folder, times = Path(sys.argv[1]), int(sys.argv[2])

async def body(number):
    yield str(number).encode() * 100

async def accept(number, said):
    async with Store(folder / "store.db") as store, Spool(folder / "spool") as spool:
        id = new_segment_id()
        await spool.store(id, body(number))
        sound = AudioInfo(16_000, 1, 3.2)
        segment = Segment(
            id=id, room="demo", source=Source("file"), audio=sound, created_at=utc_now(), metadata={"number": number}
        )
        await store.accept(segment, IdempotencyKey("scope", str(number), id))
        if number % 3 == 2:
            opened = Event(id, "demo", "attempt.opened", utc_now(), 1)
            await store.record(segment, opened, AttemptRecord(number=1, offset=0.0, session="PA_1"))
        os.write(said, id.encode())
        await asyncio.sleep(60)

for number in range(times):
    heard, said = os.pipe()
    child = os.fork()
    if not child:
        asyncio.run(accept(number, said))
    os.close(said)
    id = os.read(heard, 100).decode()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(heard)
    print(id, flush=True)
"""


async def test_each_of_many_processes_is_killed_right_after_it_accepted_one(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FORKING, str(tmp_path), str(TIMES), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    accepted = printed.decode().split()
    assert len(set(accepted)) == TIMES

    async with Store(tmp_path / "store.db") as store, Spool(tmp_path / "spool") as spool:
        found = await store.unfinished()
        assert [segment.id for segment, _ in found] == accepted
        for number, (segment, attempts) in enumerate(found):
            assert segment.metadata == {"number": number}
            assert spool.path(segment.id).read_bytes() == str(number).encode() * 100
            assert await store.known_key("scope", str(number), utc_now()) == KnownKey(segment.id, segment.id)
            assert [attempt.session for attempt in attempts] == ["PA_1"] * (number % 3 == 2)
