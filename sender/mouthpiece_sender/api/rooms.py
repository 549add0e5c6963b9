"""Rooms: open one with its avatar, look at rooms, end one; tokens for viewers."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import JSONResponse

from mouthpiece import wire
from mouthpiece.dispatch import chosen_avatar
from mouthpiece_sender.api import models
from mouthpiece_sender.api.dependencies import CallerDep, Dependencies, Deps, LiveKitDep
from mouthpiece_sender.api.openapi import problems
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.api.requests import NoQuery, OpenRoomBody, RoomPath, TokenBody, json_body, read_json
from mouthpiece_sender.api.room_times import RoomTimes
from mouthpiece_sender.livekit.server_api import LiveKitApi, ParticipantFacts, RoomFacts
from mouthpiece_sender.livekit.tokens import viewer_token
from mouthpiece_sender.target import AvatarActivity, RoomActivity

router = APIRouter(tags=["Rooms"])

NoParameters = Annotated[NoQuery, Query()]

CONCURRENCY = 8
"""Requests to LiveKit at a time, one per room."""
ENDED = "The room was ended by DELETE /v1/rooms."


@router.post(
    "/v1/rooms",
    status_code=201,
    response_model=models.OpenedRoom,
    responses=problems(400, 401, 403, 409, 503),
    openapi_extra=json_body(OpenRoomBody),
)
async def open_room(_: NoParameters, request: Request, deps: Deps, livekit: LiveKitDep, caller: CallerDep) -> Response:
    """Create the room unless it exists, dispatch the worker that brings the avatar, and return a token for one viewer.
    The token carries the dispatch too: a LiveKit client that joins with it after LiveKit closed the empty room brings
    the avatar again."""
    body = await read_json(request, OpenRoomBody)
    settings = deps.settings
    room = body.room or f"{caller.prefixes[0]}room-{secrets.token_hex(5)}"
    caller.require(room)
    times = RoomTimes(settings.empty_timeout, settings.departure_timeout).asked(
        body.empty_timeout, body.departure_timeout, settings.key_empty_timeout or None
    )
    choice = body.metadata()
    metadata = choice.dumps()
    identity = body.identity or new_identity()
    token = viewer_token(
        livekit.access,
        room,
        identity,
        body.name,
        agent_name=settings.agent_name,
        agent_metadata=metadata,
        empty_timeout=times.empty,
        departure_timeout=times.departure,
        data=body.data,
    )
    await livekit.api.create_room(room, empty_timeout=times.empty, departure_timeout=times.departure)
    await livekit.api.dispatch(room, settings.agent_name, metadata)
    deps.gateway.expect(room, caller.holder)
    avatar = await _avatar_of(livekit.api, room)
    if avatar is None:
        avatar_id = chosen_avatar(choice, settings.avatar_provider, settings.avatar_id, settings.avaluma_avatar_id)[1]
        avatar = None if avatar_id is None else wire.avatar_identity(avatar_id)
    opened = models.OpenedRoom(
        room=room, livekit_url=settings.public_url, token=token, avatar=avatar, identity=identity
    )
    return JSONResponse(opened.model_dump(mode="json"), 201)


@router.get("/v1/rooms", response_model=models.RoomList, responses=problems(400, 401, 503))
async def list_rooms(_: NoParameters, deps: Deps, caller: CallerDep) -> Response:
    """List the rooms on the LiveKit server, newest first; a key with a prefix sees its rooms only."""
    activity = deps.gateway.activity()
    api = None if deps.livekit is None else deps.livekit.api
    listed = [] if api is None else await api.rooms()
    there = {facts.name: facts for facts in listed if caller.may(facts.name)}
    names = sorted(there, key=lambda name: there[name].created_at, reverse=True)
    names += [name for name in activity if name not in there and caller.may(name) and _is_known(deps, activity[name])]
    turn = asyncio.Semaphore(CONCURRENCY)

    async def look(name: str) -> models.Room:
        async with turn:
            participants = await api.participants(name) if api is not None and name in there else None
        return _shown(name, there.get(name), participants, activity.get(name), paused=deps.gateway.is_paused(name))

    rooms = await asyncio.gather(*(look(name) for name in names))
    return JSONResponse(models.RoomList(rooms=rooms).model_dump(mode="json"))


@router.get("/v1/rooms/{room}", response_model=models.Room, responses=problems(400, 401, 403, 404, 503))
async def look_at_room(room: RoomPath, _: NoParameters, deps: Deps, caller: CallerDep) -> Response:
    """Return a room with its avatars, and what plays and waits there."""
    caller.require(room)
    facts, participants = None, None
    if deps.livekit is not None:
        api = deps.livekit.api
        facts, participants = await asyncio.gather(api.room(room), api.participants(room))
    activity = deps.gateway.activity().get(room)
    if facts is None and not (activity and _is_known(deps, activity)):
        raise _no_room()
    shown = _shown(room, facts, participants, activity, paused=deps.gateway.is_paused(room))
    return JSONResponse(shown.model_dump(mode="json"))


@router.delete(
    "/v1/rooms/{room}", status_code=204, response_class=Response, responses=problems(400, 401, 403, 404, 503)
)
async def end_room(room: RoomPath, _: NoParameters, deps: Deps, caller: CallerDep) -> Response:
    """End a room: LiveKit removes everyone from it; the segment that plays ends `unknown`, those that wait `failed`."""
    caller.require(room)
    activity = deps.gateway.activity().get(room)
    await deps.gateway.end_room(room, ENDED)
    there = deps.livekit is not None and await deps.livekit.api.delete_room(room)
    if not there and not (activity and _is_known(deps, activity)):
        raise _no_room()
    return Response(status_code=204)


@router.post(
    "/v1/rooms/{room}/tokens",
    status_code=201,
    response_model=models.Token,
    responses=problems(400, 401, 403, 409),
    openapi_extra=json_body(TokenBody),
)
async def give_token(
    room: RoomPath, _: NoParameters, request: Request, deps: Deps, livekit: LiveKitDep, caller: CallerDep
) -> Response:
    """Return a token for one more viewer, who may publish a microphone, with `data` also data, and nothing in another's
    name."""
    caller.require(room)
    body = await read_json(request, TokenBody)
    identity = body.identity or new_identity()
    token = viewer_token(livekit.access, room, identity, body.name, data=body.data)
    given = models.Token(room=room, livekit_url=deps.settings.public_url, token=token, identity=identity)
    return JSONResponse(given.model_dump(mode="json"), 201)


def new_identity() -> str:
    """Return a random identity for a viewer."""
    return f"viewer-{secrets.token_hex(5)}"


async def _avatar_of(api: LiveKitApi, room: str) -> str | None:
    """Return the identity of the avatar in the room, if there is exactly one."""
    found = [facts.identity for facts in await api.participants(room) or () if facts.profile]
    return found[0] if len(found) == 1 else None


def _shown(
    name: str,
    facts: RoomFacts | None,
    participants: Sequence[ParticipantFacts] | None,
    activity: RoomActivity | None,
    *,
    paused: bool,
) -> models.Room:
    """``participants`` come from LiveKit; None where it has no such room: then ``activity`` is all that is known."""
    ours = {avatar.identity: avatar for avatar in activity.avatars} if activity else {}
    connected = activity is not None and activity.connected
    if participants is None:
        there = [(identity, avatar.profile) for identity, avatar in ours.items() if connected]
    else:
        there = [(one.identity, profile.name) for one in participants if (profile := one.profile) is not None]
    return models.Room(
        room=name,
        created_at=datetime.fromtimestamp(facts.created_at, UTC) if facts else None,
        empty_timeout=facts.empty_timeout if facts else None,
        departure_timeout=facts.departure_timeout if facts else None,
        viewers=sum(one.is_viewer for one in participants or ()),
        avatars=[_shown_avatar(identity, profile, ours.get(identity), connected) for identity, profile in there],
        queue=sum(avatar.queue for avatar in ours.values()),
        playing=next((avatar.playing for avatar in ours.values() if avatar.playing), None),
        paused=paused,
    )


def _shown_avatar(
    identity: str | None, profile: str | None, ours: AvatarActivity | None, connected: bool
) -> models.Avatar:
    return models.Avatar(
        identity=identity or "",
        profile=profile or "",
        ready=ours.ready if ours and connected else None,
        queue=ours.queue if ours else 0,
        playing=ours.playing if ours else None,
    )


def _is_known(deps: Dependencies, activity: RoomActivity) -> bool:
    """Whether a room exists that LiveKit does not know: a segment waits for it, or it has a session with Anam."""
    waits = any(avatar.queue or avatar.playing for avatar in activity.avatars)
    return waits or (deps.livekit is None and activity.connected)


def _no_room() -> ApiProblem:
    return ApiProblem("room-not-found", "There is no room of this name; POST /v1/rooms opens one.", field="room")
