"""Segments: create, look, list, cancel, interrupt, pause, resume."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import JSONResponse

from mouthpiece.errors import MouthpieceError
from mouthpiece.net_guard import check_url
from mouthpiece.process.log_context import REQUEST
from mouthpiece.segments import Segment, Source, State, new_segment_id, utc_now
from mouthpiece_sender.api import models
from mouthpiece_sender.api.bodies import ACCEPTED
from mouthpiece_sender.api.callers import Caller
from mouthpiece_sender.api.dependencies import CallerDep, Dependencies, Deps
from mouthpiece_sender.api.idempotency import PARAMETER, fingerprint, mismatch, read_key, scope
from mouthpiece_sender.api.openapi import problems
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.api.requests import (
    AvatarQuery,
    DeleteQuery,
    InterruptBody,
    ListQuery,
    NoBody,
    RoomPath,
    SegmentPath,
    SpeakQuery,
    WaitQuery,
    json_body,
    read_json,
)
from mouthpiece_sender.api.segment_watch import Posted
from mouthpiece_sender.api.waiting import wait_for
from mouthpiece_sender.segment_json import segment_json
from mouthpiece_sender.sounds.sound import Sound
from mouthpiece_sender.sounds.traced import traced
from mouthpiece_sender.storage.journal import IdempotencyKey
from mouthpiece_sender.target import SpeakRequest

router = APIRouter(tags=["Segments"])


@router.post(
    "/v1/rooms/{room}/segments",
    status_code=202,
    response_model=models.Segment,
    responses={
        200: {"model": models.Segment, "description": "What was waited for came."},
        202: {"description": "Accepted, and stored; `Location` says where to look."},
        **problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 502, 503, 507),
    },
    openapi_extra={"requestBody": {"required": True, "content": ACCEPTED}, "parameters": [PARAMETER]},
)
async def speak(
    room: RoomPath, query: Annotated[SpeakQuery, Query()], request: Request, deps: Deps, caller: CallerDep
) -> Response:
    """Say a sound or a text through the avatar of the room, in its turn.

    The body is the sound itself, or JSON with a text; without a `Content-Type` that names a format, the content
    decides. A room that has no avatar yet is no error: the segment waits for one.
    """
    caller.require(room)
    key = read_key(request)
    if query.live:
        segment = await _speak_live(deps, caller, room, query, request, key)
    elif key is None:
        segment = await _accept(deps, caller, room, query, request)
    else:
        segment = await _accept_once(deps, caller, room, query, request, key)
    if query.wait != "queued":
        duplicate = segment.duplicate
        segment = await wait_for(deps.gateway, request, deps.stopping, segment.id, query.wait, query.timeout)
        segment = replace(segment, duplicate=duplicate)
    reached = query.wait != "queued" and segment.reached(query.wait)
    location = f"/v1/segments/{quote(segment.id)}"
    return JSONResponse(segment_json(segment), 200 if reached else 202, headers={"Location": location})


async def _accept_once(
    deps: Dependencies, caller: Caller, room: str, query: SpeakQuery, request: Request, key: str
) -> Segment:
    """Accept the segment, or return the one that an earlier request with ``key`` was accepted as."""
    where = scope(caller, f"POST /v1/rooms/{room}/segments")
    with deps.claims.claimed(where, key):
        known = await deps.store.known_key(where, key, utc_now())
        if known is None:
            return await _accept(deps, caller, room, query, request, lambda asked: IdempotencyKey(where, key, asked))
        body = await deps.bodies.read_content(request)
        if fingerprint(body.compared, query.decisive) != known.fingerprint:
            raise mismatch()
    return replace(await deps.gateway.segment(known.segment), duplicate=True)


async def _accept(
    deps: Dependencies,
    caller: Caller,
    room: str,
    query: SpeakQuery,
    request: Request,
    key: Callable[[str], IdempotencyKey | None] = lambda _: None,
) -> Segment:
    """:param key: makes the key to store from the fingerprint of the request."""
    _check_callback(deps, query)
    segment_id = new_segment_id()
    with deps.watch.accepting(segment_id, _posted(deps, room, request)) as trace:
        body = await deps.bodies.read(request, segment_id, caller)
        began = time.perf_counter()
        try:
            asked = _request(caller, room, query, segment_id, traced(body.sound, trace), body.source)
            segment = await deps.gateway.speak(
                replace(asked, metadata=body.metadata, key=key(fingerprint(body.compared, query.decisive)))
            )
        except BaseException:
            await deps.bodies.discard(segment_id)
            raise
    deps.metrics.accepted.observe(time.perf_counter() - began)
    return segment


async def _speak_live(
    deps: Dependencies, caller: Caller, room: str, query: SpeakQuery, request: Request, key: str | None
) -> Segment:
    """Accept the segment once the format of its body is known; return it once the body or the segment has ended."""
    if key is not None:
        raise ApiProblem(
            "bad-parameter",
            "A sound that is spoken while it arrives cannot be recognised when it comes again: send it without "
            "Idempotency-Key, or without live=true.",
            field="Idempotency-Key",
        )
    _check_callback(deps, query)
    posted = _posted(deps, room, request)
    async with deps.bodies.live(request) as body:
        segment_id = new_segment_id()
        with deps.watch.accepting(segment_id, posted):
            asked = _request(caller, room, query, segment_id, body.sound, body.source)
            segment = await deps.gateway.speak(asked)
        arriving = asyncio.create_task(body.arrive(), name="live-body")
        ended = asyncio.create_task(deps.gateway.wait(segment.id, "finished", None), name="live-segment")
        try:
            await asyncio.wait([arriving, ended], return_when=asyncio.FIRST_COMPLETED)
            if arriving.done():
                arriving.result()
        except MouthpieceError as error:
            body.sound.end(error)
            raise
        finally:
            arriving.cancel()
            ended.cancel()
            await asyncio.wait([arriving, ended])
    return await deps.gateway.segment(segment.id)


def _check_callback(deps: Dependencies, query: SpeakQuery) -> None:
    if query.callback is not None:
        check_url(query.callback, deps.settings.url_hosts)


def _posted(deps: Dependencies, room: str, request: Request) -> Posted:
    return Posted(
        request.state.asked_at,
        alone=not deps.gateway.speaks_in(room),
        request=REQUEST.get(),
        traceparent=request.headers.get("traceparent"),
    )


def _request(
    caller: Caller, room: str, query: SpeakQuery, segment_id: str, sound: Sound, source: Source
) -> SpeakRequest:
    return SpeakRequest(
        room,
        sound,
        source,
        segment_id,
        avatar=query.avatar,
        mode=query.mode,
        on_loss=query.on_loss,
        interruptible=query.interruptible,
        wait_for_viewer=query.wait_for_viewer,
        expires_in=query.expires_in,
        tag=query.tag,
        callback=query.callback,
        holder=caller.holder,
    )


@router.get("/v1/segments/{segment_id}", response_model=models.Segment, responses=problems(400, 401, 403, 404))
async def look(
    segment_id: SegmentPath,
    query: Annotated[WaitQuery, Query()],
    request: Request,
    deps: Deps,
    caller: CallerDep,
) -> Response:
    """Return a segment; with `wait`, once it reaches that."""
    segment = await _found(deps, caller, segment_id)
    if query.wait != "queued" and not segment.reached(query.wait):
        async for _ in request.stream():
            pass  # drop an unexpected body: ``receive`` reports a disconnect only after it
        segment = await wait_for(deps.gateway, request, deps.stopping, segment_id, query.wait, query.timeout)
    return JSONResponse(segment_json(segment))


@router.get("/v1/rooms/{room}/segments", response_model=models.SegmentPage, responses=problems(400, 401, 403))
async def list_segments(
    room: RoomPath, query: Annotated[ListQuery, Query()], deps: Deps, caller: CallerDep
) -> Response:
    """List the segments of a room, newest first."""
    caller.require(room)
    try:
        page = await deps.gateway.segments(
            room, states=query.state, tag=query.tag, limit=query.limit, after=query.after
        )
    except ValueError:
        raise ApiProblem("bad-parameter", "“after” is no `next` of an earlier page.", field="after") from None
    return JSONResponse({"segments": [segment_json(segment) for segment in page.segments], "next": page.next})


@router.delete("/v1/segments/{segment_id}", response_model=models.Segment, responses=problems(400, 401, 403, 404))
async def cancel(
    segment_id: SegmentPath, query: Annotated[DeleteQuery, Query()], deps: Deps, caller: CallerDep
) -> Response:
    """Cancel a segment that waits, interrupt one that plays; one that has ended is returned as it is."""
    known = await _found(deps, caller, segment_id)
    segment = await deps.gateway.cancel(segment_id)
    if query.purge:
        if known.source.text is not None:
            await deps.voices.forget(known.source.text, known.source.text_format or "plain")
        await deps.store.purge(segment_id)
        await deps.bodies.discard(segment_id)
        segment = await deps.gateway.segment(segment_id)
    return JSONResponse(segment_json(segment))


@router.post(
    "/v1/rooms/{room}/interrupt",
    response_model=models.Interrupted,
    responses=problems(400, 401, 403),
    openapi_extra=json_body(InterruptBody),
)
async def interrupt(
    room: RoomPath, query: Annotated[AvatarQuery, Query()], request: Request, deps: Deps, caller: CallerDep
) -> Response:
    """Stop the segment that plays, and with `queued=drop` cancel those that wait; answers once they have ended."""
    caller.require(room)
    body = await read_json(request, InterruptBody)
    stopped = await deps.gateway.interrupt(room, avatar=query.avatar, queued=body.queued)
    return JSONResponse({"segments": [segment_json(segment) for segment in stopped]})


@router.post(
    "/v1/rooms/{room}/pause",
    response_model=models.Pausing,
    responses=problems(400, 401, 403, 503),
    openapi_extra=json_body(NoBody),
)
async def pause(
    room: RoomPath, query: Annotated[AvatarQuery, Query()], request: Request, deps: Deps, caller: CallerDep
) -> Response:
    """Holds a room until it is resumed, over restarts too: what plays stops where it is, and nothing else begins.

    Answers once what played is silent. New segments wait; `mode=interrupt` ends the one that was stopped.
    """
    caller.require(room)
    await read_json(request, NoBody)
    stopped = await deps.gateway.pause(room, avatar=query.avatar)
    return _pausing(deps, room, stopped)


@router.post(
    "/v1/rooms/{room}/resume",
    response_model=models.Pausing,
    responses=problems(400, 401, 403, 503),
    openapi_extra=json_body(NoBody),
)
async def resume(
    room: RoomPath, query: Annotated[AvatarQuery, Query()], request: Request, deps: Deps, caller: CallerDep
) -> Response:
    """Goes on with a paused room: with the rest of what was stopped, and then with what waits."""
    caller.require(room)
    await read_json(request, NoBody)
    held = (await deps.gateway.segments(room, states=[State.PAUSED], limit=200)).segments
    concerned = [segment.id for segment in held if query.avatar in (None, segment.avatar)]
    await deps.gateway.resume(room, avatar=query.avatar)
    return _pausing(deps, room, [await deps.gateway.segment(id) for id in concerned])


def _pausing(deps: Dependencies, room: str, segments: Sequence[Segment]) -> Response:
    shown = [segment_json(segment) for segment in segments]
    return JSONResponse({"room": room, "paused": deps.gateway.is_paused(room), "segments": shown})


async def _found(deps: Dependencies, caller: Caller, segment_id: str) -> Segment:
    """Return a segment, if the caller's key opens its room.

    :raises SegmentNotFound: there is no such segment.
    :raises ApiProblem: the key does not open its room.
    """
    segment = await deps.gateway.segment(segment_id)
    caller.require(segment.room)
    return segment
