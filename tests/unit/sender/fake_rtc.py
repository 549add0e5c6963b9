"""A fake of the LiveKit SDK's room, as far as ``RtcConnection`` uses it. Nothing here touches LiveKit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from livekit import rtc

from mouthpiece_sender.livekit.rtc_connection import RtcConnection
from mouthpiece_sender.livekit.server_api import LiveKitAccess
from tests.virtual_time import now


class FakeRtcRoom:
    """As towards livekit-server, a participant that has published nothing is not visible to the others yet, and a
    stock receiver loses a stream whose sender it does not see."""

    identity = "external-audio-sender-1"

    def __init__(self) -> None:
        self.local_participant = self
        self.remote_participants: dict[str, Any] = {}
        self.rpc: dict[str, Callable[[Any], str]] = {}
        self.handlers: dict[str, Callable[..., None]] = {}
        self.byte_topics: set[str] = set()
        self.text_topics: set[str] = set()
        self.visible = self.connected = False
        self.arrived = b""
        """Bytes that a stock receiver took."""
        self.left_at: float | None = None

    async def connect(self, url: str, token: str, options: rtc.RoomOptions) -> None:
        self.connected = True

    async def disconnect(self) -> None:
        self.connected, self.left_at = False, now()

    def isconnected(self) -> bool:
        return self.connected

    def on(self, event: str, handler: Callable[..., None]) -> None:
        self.handlers[event] = handler

    def register_byte_stream_handler(self, topic: str, handler: object) -> None:
        self.byte_topics.add(topic)

    def register_text_stream_handler(self, topic: str, handler: object) -> None:
        self.text_topics.add(topic)

    def register_rpc_method(self, method: str, handler: Callable[[Any], str]) -> None:
        self.rpc[method] = handler

    def unregister_rpc_method(self, method: str) -> None:
        self.rpc.pop(method, None)

    async def publish_data_track(self, *, name: str) -> object:
        await asyncio.sleep(0.05)
        self.visible = True
        return object()

    async def stream_bytes(self, **header: object) -> SimpleNamespace:
        seen = self.visible

        async def write(data: bytes) -> None:
            self.arrived += data if seen else b""

        async def aclose() -> None:
            pass

        return SimpleNamespace(write=write, aclose=aclose)

    def permit(self, *, can_publish_data: bool) -> None:
        """Somebody changes the sender's rights."""
        self.handlers["participant_permissions_changed"](self, SimpleNamespace(can_publish_data=can_publish_data))

    def call(self, method: str, payload: str = "") -> str:
        """The avatar's RPC to the sender. An unknown method fails, as in the SDK."""
        return self.rpc[method](SimpleNamespace(caller_identity="avatar-x", payload=payload))


def joined(room: FakeRtcRoom, listener: Callable[[Any], None]) -> RtcConnection:
    """The real connection over a fake SDK."""
    access = LiveKitAccess("ws://nowhere", "key", "secret")
    return RtcConnection(access, "token", listener, new_room=lambda: cast(rtc.Room, room))
