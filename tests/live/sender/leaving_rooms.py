"""Joins a room as the sender does and leaves it, over and over: a process of its own, whose memory is looked at.

Arguments: LiveKit's URL, its key and secret, the room, how often. It prints, in JSON: how many others were there, the
bytes that are resident after each leave, what the SDK logged, and what an avatar answers to who has left.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import sys

import psutil

from mouthpiece_sender.livekit.rtc_connection import RtcConnection
from mouthpiece_sender.livekit.server_api import LiveKitAccess
from mouthpiece_sender.livekit.tokens import sender_token

STAYS = 0.5
"""Seconds."""


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


async def main() -> None:
    gc.disable()  # what was left is freed without a collection, which is rare in a service
    url, key, secret, room, times = sys.argv[1:]
    kept = Kept()
    logging.getLogger().addHandler(kept)
    access, process = LiveKitAccess(url, key, secret), psutil.Process()
    resident, others = [], []
    for _ in range(int(times)):
        token = sender_token(access, room, "external-audio-sender", "External Audio Sender")
        async with RtcConnection(access, token, lambda _: None) as connection:
            await asyncio.sleep(STAYS)
            others.append(len(connection.participants()))
        resident.append(process.memory_info().rss)
    answered = str(await connection.status("external-avatar"))  # too late
    print(json.dumps({"resident": resident, "others": others, "logged": kept.messages, "answered": answered}))


asyncio.run(main())
