"""The senders that ``sender_load.py`` looks at, each alone in a process: ``ours`` and ``document``.

Lines on standard input command it (``play PATH``, ``interrupt``); it answers each with one line of JSON. The way of the
document is what Avaluma's shows: the whole file is read, and written to the stream in one call.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import wave
from collections.abc import AsyncIterator
from typing import Any

from livekit import rtc

from mouthpiece import wire
from mouthpiece_sender.speaker import PlayingSegment, Speaker


async def commands() -> AsyncIterator[list[str]]:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line.decode().rstrip("\n").split(" ", 1)


def answer(**facts: Any) -> None:
    print(json.dumps({"at": time.monotonic(), **facts}), flush=True)


async def ours(room: str) -> None:
    async with Speaker(room) as speaker:
        segment: PlayingSegment | None = None
        answer()
        async for command, *arguments in commands():
            if command == "play":
                segment = await speaker.play(arguments[0])
                answer(state=(await segment.wait("playing", 30)).state)
            elif command == "interrupt" and segment is not None:
                called = time.monotonic()
                await speaker.interrupt()
                ended = await segment.finished(10)
                answer(called=called, state=ended.state, position=ended.position)


async def document(room_name: str) -> None:
    room = rtc.Room()
    await room.connect(os.environ["LIVEKIT_URL"], os.environ["TOKEN"])
    answer()
    async for _, path in commands():
        with wave.open(path, "rb") as file:
            data = file.readframes(file.getnframes())
            attributes = wire.StreamHeader(file.getframerate(), file.getnchannels()).attributes()
        writer = await room.local_participant.stream_bytes(
            name="AUDIO_document",
            topic=wire.AUDIO_STREAM_TOPIC,
            destination_identities=[os.environ["AVATAR"]],
            attributes=attributes,
        )
        await writer.write(data)
        await writer.aclose()
        answer(state="written")
    await room.disconnect()


if __name__ == "__main__":
    asyncio.run({"ours": ours, "document": document}[sys.argv[1]](sys.argv[2]))
