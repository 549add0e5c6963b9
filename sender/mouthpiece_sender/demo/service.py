"""A client for the calls of the sender's HTTP API that the demo makes (docs/api.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx

from mouthpiece_sender.demo.check import Spoken
from mouthpiece_sender.demo.failure import DemoFailed

SPEAK_WITHIN = 120.0
"""Seconds that a segment may take to its end, the start of the avatar included."""


class Service:
    """A client of a running sender."""

    def __init__(self, address: str, key: str | None = None) -> None:
        """
        :param address: the sender's URL, without a slash at its end.
        :param key: an API key, where the sender requires one.
        """
        self._address = address
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    async def __aenter__(self) -> Self:
        self._client = httpx.AsyncClient(
            base_url=self._address, headers=self._headers, trust_env=False, timeout=SPEAK_WITHIN + 10
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def open_room(self, room: str) -> Mapping[str, Any]:
        """Create the room and dispatch the avatar; the answer has ``livekit_url`` and ``token`` for a viewer.

        :raises DemoFailed: the sender refused, or did not answer.
        """
        return await self._call("POST", "/v1/rooms", json={"room": room})

    async def speak(self, room: str, file: Path) -> Spoken:
        """Speak a WAV file and return its segment at the end, or after ``SPEAK_WITHIN`` seconds.

        :raises DemoFailed: the sender refused or did not answer, or the segment has an error.
        """
        segment = await self._call(
            "POST",
            f"/v1/rooms/{room}/segments",
            params={"wait": "finished", "timeout": SPEAK_WITHIN},
            content=await asyncio.to_thread(file.read_bytes),
            headers={"Content-Type": "audio/wav"},
        )
        if error := segment.get("error"):
            raise DemoFailed(f"The segment {segment['state']}: {error['detail']}")
        audio = segment.get("audio") or {}
        return Spoken(
            state=segment["state"],
            receipt=segment["receipt"],
            position=segment.get("position") or 0.0,
            duration=audio.get("duration") or 0.0,
        )

    async def _call(self, method: str, path: str, **request: Any) -> Mapping[str, Any]:
        try:
            response = await self._client.request(method, path, **request)
        except httpx.HTTPError as error:
            raise DemoFailed(f"{method} {path}: no answer from the sender ({type(error).__name__})") from error
        value = response.json() if "json" in response.headers.get("content-type", "") else {}
        if response.is_error:
            detail = value.get("detail") or value.get("title") or response.reason_phrase
            raise DemoFailed(f"{method} {path}: the sender answered {response.status_code}, {detail}")
        return dict(value)
