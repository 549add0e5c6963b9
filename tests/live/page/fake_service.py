"""A fake of the sender's service: its API in memory, with faults that a test switches on.

It serves the built page and ``/v1``, opens rooms on a real livekit-server, and plays accepted sound through a
:class:`FakeAvatar`. A test may change ``key``, ``voices``, ``unreachable`` and ``refusal`` at any time. Its stream of
events is made from what changed in ``segments``, by a test too.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import json
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr
from aiohttp import web
from livekit import api

from mouthpiece_sender.demo.livekit_server import LiveKit
from tests.live.page.fake_avatar import AVATAR, SAMPLE_RATE, FakeAvatar

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; "
    "connect-src 'self' ws://127.0.0.1:* http://127.0.0.1:*; base-uri 'none'; form-action 'none'"
)

Sound = npt.NDArray[np.int16]


class FakeService:
    def __init__(self, livekit: LiveKit, page: Path) -> None:
        self._livekit, self.page = livekit, page
        self.livekit_url = livekit.url
        """The address that viewers get."""
        self.avatar: FakeAvatar | None = None
        """Plays what is accepted. None: what is accepted stays queued."""
        self.key: str | None = None
        self.other_rooms_key: str | None = None
        """A second key, which opens only rooms whose name begins with ``other-``."""
        self.voices: list[dict[str, str]] | None = None
        """None: the API has no such list."""
        self.voices_refusal: tuple[int, str] | None = None
        """Status and detail with which the list of voices is refused."""
        self.unreachable = False
        self.refusal: tuple[int, str] | None = None
        """Status and detail with which uploads are refused."""
        self.kept: set[str] = set()
        """Ids of segments whose cancellation fails."""
        self.limits = {"max_upload": 300_000_000, "max_text": 200_000}
        """As the page reads them."""
        self.bodies: list[tuple[str, str, int]] = []
        """Name, content type and size in bytes of each uploaded file."""
        self.texts: list[dict[str, Any]] = []
        self.rooms: list[str] = []
        """The room of each request to speak."""
        self.interrupts: list[Any] = []
        self._tickets: dict[str, str | None] = {}
        """Tickets, and the ``Authorization`` that each was made with."""
        self.segments: dict[str, dict[str, Any]] = {}
        """By id, oldest first; a test may add and change them."""
        self._numbers = itertools.count(1)
        self._queue: asyncio.Queue[tuple[dict[str, Any], Sound]] = asyncio.Queue()
        self._playing: asyncio.Task[None] | None = None
        self._runner: web.AppRunner | None = None
        self._worker: asyncio.Task[None] | None = None
        self.url = ""

    async def __aenter__(self) -> FakeService:
        app = web.Application(middlewares=[self._guard], client_max_size=64 * 2**20)
        app.add_routes(
            [
                web.post("/v1/rooms", self._open_room),
                web.get("/v1/voices", self._voices),
                web.get("/v1/rooms/{room}/segments", self._list),
                web.get("/v1/rooms/{room}/events", self._events),
                web.post("/v1/rooms/{room}/tickets", self._ticket),
                web.post("/v1/rooms/{room}/segments", self._speak),
                web.post("/v1/rooms/{room}/interrupt", self._interrupt),
                web.delete("/v1/segments/{id}", self._delete),
                web.get("/", self._index),
                web.get("/page.json", self._limits),
                web.static("/", self.page),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"
        self._worker = asyncio.create_task(self._play_queue())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._worker is not None
        assert self._runner is not None
        self._worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._worker
        await self._runner.cleanup()

    def add(self, **changes: Any) -> dict[str, Any]:
        """Add a segment as the API shows it: a queued sound file, with the keys of ``changes`` replaced."""
        number = next(self._numbers)
        segment: dict[str, Any] = {
            "id": f"seg_{number:04}",
            "avatar": AVATAR,
            "profile": "mouthpiece",
            "state": "queued",
            "receipt": "none",
            "source": {"kind": "file", "name": None, "text": None, "voice": None},
            "audio": {"sample_rate": 16_000, "num_channels": 1, "duration": 2.0},
            "position": 0.0,
            "interrupted": False,
            "viewers": {"start": None, "end": None},
            "created_at": datetime.now(UTC).isoformat(),
            "duplicate": False,
            "error": None,
        } | changes
        self.segments[segment["id"]] = segment
        return segment

    async def remove_avatar(self) -> None:
        """Stop the playing segment; leave the queued ones queued."""
        self.avatar = None
        if self._playing is not None:
            self._playing.cancel()
            await asyncio.wait([self._playing])

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path.startswith("/v1/"):
            if self.unreachable and request.transport is not None:
                request.transport.abort()
                return web.Response()
            given = request.headers.get("Authorization")
            if request.path.endswith("/events") and (ticket := request.query.get("ticket")):
                given = self._tickets.pop(ticket, None)  # each opens one stream
            if self.key is not None and given not in (f"Bearer {self.key}", f"Bearer {self.other_rooms_key}"):
                slug = "no-key" if given is None else "wrong-key"
                return problem(401, "Send one of the keys in MOUTHPIECE_API_KEYS: `Authorization: Bearer <key>`.", slug)
            if given == f"Bearer {self.other_rooms_key}" and not (await room_of(request)).startswith("other-"):
                return problem(403, "This key is for rooms whose name begins with “other-”.", "not-this-room")
        response: web.StreamResponse = await handler(request)
        if not response.prepared:
            response.headers["Content-Security-Policy"] = POLICY
        return response

    async def _index(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse(self.page / "index.html")

    async def _limits(self, _: web.Request) -> web.Response:
        return web.json_response(self.limits)

    async def _open_room(self, request: web.Request) -> web.Response:
        room = (await request.json()).get("room") or "fresh-room"
        token = (
            api.AccessToken(self._livekit.api_key, self._livekit.api_secret)
            .with_identity(f"viewer-{next(self._numbers)}")
            .with_grants(api.VideoGrants(room_join=True, room=room))
            .to_jwt()
        )
        opened = {"room": room, "livekit_url": self.livekit_url, "token": token, "avatar": AVATAR}
        return web.json_response(opened, status=201)

    async def _voices(self, _: web.Request) -> web.Response:
        if self.voices_refusal is not None:
            return problem(*self.voices_refusal)
        return problem(404, "Not found.") if self.voices is None else web.json_response({"voices": self.voices})

    async def _list(self, request: web.Request) -> web.Response:
        found = list(reversed(self.segments.values()))
        if after := request.query.get("after"):
            found = [one for one in found if one["id"] < after]
        limit = int(request.query.get("limit", "50"))
        page = found[:limit]
        more = page[-1]["id"] if len(found) > limit else None
        return web.json_response({"segments": page, "next": more})

    async def _ticket(self, request: web.Request) -> web.Response:
        ticket = f"ticket-{next(self._numbers)}"
        self._tickets[ticket] = request.headers.get("Authorization")
        return web.json_response({"ticket": ticket}, status=201)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Content-Security-Policy": POLICY})
        await response.prepare(request)
        known = {id: json.dumps(segment) for id, segment in self.segments.items()}
        for number in itertools.count(1):
            now = {id: json.dumps(segment) for id, segment in self.segments.items()}
            for id in [id for id, shown in now.items() if known.get(id) != shown]:
                await response.write(f'id: {number}\ndata: {{"type": "segment", "segment": {now[id]}}}\n\n'.encode())
            await response.write(b": still here\n\n")
            known = now
            await asyncio.sleep(0.02)
            if self.unreachable and request.transport is not None:
                request.transport.abort()
                break
        return response

    async def _speak(self, request: web.Request) -> web.Response:
        self.rooms.append(request.match_info["room"])
        if request.content_type == "application/json":
            body = await request.json()
            self.texts.append(body)
            segment = self.add(source={"kind": "text", "name": None, "text": body["text"], "voice": body.get("voice")})
            return web.json_response(segment, status=202)
        name, kind, data = await sound_file(request)
        self.bodies.append((name, kind, len(data)))
        if self.refusal is not None:
            return problem(*self.refusal)
        try:
            samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
        except soundfile.LibsndfileError:
            return problem(400, "This is not audio: no known sound format was found in it.")
        segment = self.add(
            source={"kind": "file", "name": name, "text": None, "voice": None},
            audio={"sample_rate": rate, "num_channels": samples.shape[1], "duration": len(samples) / rate},
        )
        resampled = soxr.resample(samples.mean(axis=1), rate, SAMPLE_RATE)
        self._queue.put_nowait((segment, (resampled * 32767).astype(np.int16)))
        return web.json_response(segment, status=202)

    async def _interrupt(self, request: web.Request) -> web.Response:
        self.interrupts.append(await request.json())
        if self._playing is not None:
            self._playing.cancel()
        return web.json_response({"segments": []})

    async def _delete(self, request: web.Request) -> web.Response:
        segment = self.segments[request.match_info["id"]]
        if segment["id"] in self.kept:
            return problem(503, "The store cannot be written.")
        if segment["state"] == "queued":
            segment["state"] = "cancelled"
        elif segment["state"] == "playing" and self._playing is not None:
            self._playing.cancel()
        return web.json_response(segment)

    async def _play_queue(self) -> None:
        while True:
            segment, samples = await self._queue.get()
            if segment["state"] != "queued" or self.avatar is None:
                continue
            segment["state"] = "playing"
            began = asyncio.get_running_loop().time()
            self._playing = asyncio.create_task(self.avatar.play(samples))
            await asyncio.wait([self._playing])
            interrupted = self._playing.cancelled()
            played = asyncio.get_running_loop().time() - began
            segment["position"] = min(played, segment["audio"]["duration"])
            segment["receipt"] = "confirmed"
            segment["state"] = "interrupted" if interrupted else "finished"
            self._playing = None


async def room_of(request: web.Request) -> str:
    """The room that a request is about, or an empty string."""
    if room := request.match_info.get("room"):
        return room
    return str((await request.json()).get("room", "")) if request.path == "/v1/rooms" else ""


async def sound_file(request: web.Request) -> tuple[str, str, bytes]:
    """Name, content type and bytes of the file in a form, or of the body itself."""
    if request.content_type != "multipart/form-data":
        return "", request.content_type, await request.read()
    upload = (await request.post())["file"]
    assert isinstance(upload, web.FileField)
    return upload.filename, upload.content_type, upload.file.read()


def problem(status: int, detail: str, slug: str = "about:blank") -> web.Response:
    body = {"type": slug, "status": status, "title": "Refused", "detail": detail}
    return web.json_response(body, status=status, content_type="application/problem+json")
