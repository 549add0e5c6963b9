"""The sender of Avaluma's "External audio" page with `livekit` alone (pip install livekit livekit-api), to copy.

One segment after the other in one room, without the ten ways in which the obvious sender fails: the numbers in the code
are those of docs/wire.md. LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET come from the environment.

    python external_audio_sender_plain.py ROOM [SECONDS BETWEEN TWO SEGMENTS]
"""

import asyncio
import contextlib
import json
import os
import platform
import signal
import sys
import time
import uuid
import wave
from pathlib import Path
from typing import Any

import numpy as np
from livekit import api, rtc

SOUND = Path(__file__).resolve().parent.parent / "assets" / "hello_world_16kHz.wav"
BURST, AHEAD, WRITE = 0.5, 2.0, 0.1  # seconds: sent at once, sent ahead of playback at most, sent with one write
PROBE_TIMEOUT, LINGER, GRACE = 30.0, 0.3, 2.0  # seconds


class AudioSender:
    """`async with` joins once an avatar is in the room, and leaves; `play` says one segment, `interrupt` stops it."""

    def __init__(self, room: str) -> None:
        self._name = room
        self._access = [os.environ.get(f"LIVEKIT_{name}", "") for name in ("URL", "API_KEY", "API_SECRET")]
        self._room = rtc.Room()
        self._turn = asyncio.Lock()
        self._avatar: str | None = None  # the identity that is spoken to
        self._heard_by = ""  # the avatar session (SID) that is known to listen
        self._ended: asyncio.Future[str] | None = None  # the end of what plays
        self._began = self._plausible = float("inf")  # no receipt is about it before

    async def __aenter__(self) -> "AudioSender":
        await self._avatar_is_there()
        # 9: one for each room (receivers keep handlers by it), host (the next with it throws us out), and all restarts
        identity = f"external-audio-sender-{uuid.uuid5(uuid.NAMESPACE_URL, f'{platform.node()}/{self._name}').hex[:12]}"
        token = (
            api.AccessToken(*self._access[1:])
            .with_identity(identity)
            .with_name("External Audio Sender")
            .with_kind("agent")  # the avatar hears nobody else
            .with_attributes({"lk.publish_on_behalf": identity})  # 8: neither the agent nor the avatar
            .with_grants(api.VideoGrants(room_join=True, room=self._name))
        )
        await self._room.connect(self._access[0], token.to_jwt(), rtc.RoomOptions(auto_subscribe=False))
        me = self._room.local_participant
        for method in ("lk.playback_started", "lk.playback_finished"):
            me.register_rpc_method(method, self._on_receipt)
        self._room.register_byte_stream_handler("lk.agent.session", lambda *_: None)
        self._room.on("participant_disconnected", lambda who: self._end("unknown", of=who.identity))
        self._room.on("disconnected", lambda _: self._end("unknown"))
        # 1: a participant that publishes nothing is announced up to 3 s late; its first stream would be lost
        self._visible = rtc.LocalAudioTrack.create_audio_track("audio-sender", rtc.AudioSource(48_000, 1))
        self._visible.mute()
        await me.publish_track(self._visible)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(LINGER)  # 3: the answer to the last receipt leaves before we do
        await self._room.disconnect()

    async def play(self, pcm: bytes, sample_rate: int) -> str:
        """Say mono s16le `pcm`; return how it ended: confirmed (by the avatar), estimated, interrupted or unknown."""
        async with self._turn:  # 4, 5: one stream at a time, and the next one only after the end of the one before
            self._avatar = await self._listening()
            self._ended = asyncio.get_running_loop().create_future()
            self._began = self._plausible = float("inf")
            duration = len(pcm) / 2 / sample_rate
            opening = asyncio.ensure_future(
                self._room.local_participant.stream_bytes(
                    name=f"AUDIO_{uuid.uuid4().hex[:8]}",
                    topic="lk.audio_stream",
                    destination_identities=[self._avatar],
                    attributes={"sample_rate": str(sample_rate), "num_channels": "1"},
                )
            )
            try:
                try:
                    writer = await asyncio.shield(opening)
                    self._began = began = time.monotonic()
                    self._plausible = began + duration - 0.5
                    step = round(WRITE * sample_rate) * 2
                    for at in range(0, len(pcm), step):
                        while not self._ended.done():  # 6: writing returns long before it plays
                            played = time.monotonic() - began
                            if (wait := at / 2 / sample_rate - min(played + AHEAD, BURST + 2 * played)) <= 0:
                                await writer.write(pcm[at : at + step])
                                break
                            await asyncio.wait({self._ended}, timeout=wait + 0.01)
                finally:  # 10: whatever happens: a receiver is deaf for good after a stream that its sender left open
                    await asyncio.shield(_close(opening))
                # 7: a receipt may never come, or come twice: the clock has the last word
                await asyncio.wait({self._ended}, timeout=max(0.0, began + duration - time.monotonic()) + GRACE)
            except asyncio.CancelledError:
                await asyncio.shield(self.interrupt())  # what was sent ahead would be spoken
                raise
            self._end("estimated")
            return self._ended.result()

    async def interrupt(self) -> None:
        """Stop what plays."""
        if self._avatar is not None and self._ended is not None and not self._ended.done():
            try:
                await self._ask(self._avatar)
                await asyncio.wait({self._ended}, timeout=GRACE)  # its receipt, which must not count for the next one
            except rtc.RpcError as error:
                print(f"the avatar was not interrupted: {error.message}", file=sys.stderr)
            self._end("interrupted")

    def _on_receipt(self, call: rtc.RpcInvocationData) -> str:
        """3: every receipt is answered, whatever it says; a receiver is deaf for good after three that fail."""
        try:
            interrupted = json.loads(call.payload)["interrupted"] is True
        except (ValueError, KeyError, TypeError):
            return "ok"
        # 7: one that comes before the sound can have been played is about an earlier segment
        if time.monotonic() >= (self._began if interrupted else self._plausible):
            self._end("interrupted" if interrupted else "confirmed", of=call.caller_identity)
        return "ok"

    def _end(self, how: str, of: str | None = None) -> None:
        if self._ended is not None and not self._ended.done() and of in (None, self._avatar):
            self._ended.set_result(how)

    async def _avatar_is_there(self) -> None:
        # look before joining: a join makes a room that is not there, and a receiver may bind to the first agent
        async with api.LiveKitAPI(*self._access) as server:
            while True:
                there = await server.room.list_participants(api.ListParticipantsRequest(room=self._name))
                if any(map(_is_avatar, there.participants)):
                    return
                await asyncio.sleep(1)

    async def _listening(self) -> str:
        """2: wait until the avatar is there and listens; return its identity."""
        deadline, unsupported_since = time.monotonic() + PROBE_TIMEOUT, None
        while time.monotonic() < deadline:
            for avatar in filter(_is_avatar, self._room.remote_participants.values()):
                try:
                    answer = "ok" if avatar.sid == self._heard_by else await self._ask(avatar.identity)
                except rtc.RpcError as error:  # 1400: it does not know the question, yet or ever
                    now = time.monotonic()
                    unsupported_since = (unsupported_since or now) if error.code == 1400 else None
                    answer = "ok" if unsupported_since is not None and now - unsupported_since >= 3 else ""
                if answer == "reject":
                    raise RuntimeError("the avatar listens to another sender: it is bound to that one's identity")
                if answer:
                    self._heard_by = avatar.sid
                    return str(avatar.identity)
            await asyncio.sleep(0.25)
        raise TimeoutError(f"no avatar listened within {PROBE_TIMEOUT:.0f} s")

    async def _ask(self, identity: str) -> str:
        me, method = self._room.local_participant, "lk.clear_buffer"
        return await me.perform_rpc(destination_identity=identity, method=method, payload="", response_timeout=2)


async def _close(opening: "asyncio.Future[rtc.ByteStreamWriter]") -> None:
    await (await opening).aclose()


def _is_avatar(person: Any) -> bool:
    return bool(person.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT and person.identity.startswith("avatar-"))


def read_wav(path: Path) -> tuple[bytes, int]:
    """Return the samples of a 16-bit WAV file as mono s16le, and its sample rate."""
    with wave.open(str(path), "rb") as file:
        assert file.getsampwidth() == 2, f"{path} is not 16-bit"
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return samples.reshape(-1, file.getnchannels()).mean(axis=1).astype("<i2").tobytes(), file.getframerate()


async def run(room: str, interval: float = 5.0) -> None:
    """Say the file again and again, with `interval` seconds between its end and the next start."""
    task: Any = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)  # so the stream is closed first
    async with AudioSender(room) as sender:
        while not task.cancelling():
            print(await sender.play(*read_wav(SOUND)), flush=True)
            await asyncio.sleep(interval)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(f"usage: python {sys.argv[0]} ROOM [SECONDS BETWEEN TWO SEGMENTS]")
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(run(sys.argv[1], *map(float, sys.argv[2:])))
    sys.exit(130)
