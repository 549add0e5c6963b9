"""The event log: of all rooms, of one room, of one segment; and tickets for those who cannot send a key."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import JSONResponse

from mouthpiece_sender.api import models
from mouthpiece_sender.api.callers import Caller
from mouthpiece_sender.api.dependencies import CallerDep, Dependencies, Deps
from mouthpiece_sender.api.event_stream import HEARTBEAT, MEDIA_TYPE, EventStream
from mouthpiece_sender.api.openapi import problems
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.api.requests import (
    EventsQuery,
    HistoryQuery,
    NoQuery,
    RoomPath,
    SegmentPath,
    TicketBody,
    json_body,
    read_json,
)
from mouthpiece_sender.events.event_json import avatar_of, event_json
from mouthpiece_sender.events.following import Gap, Selection, follow
from mouthpiece_sender.storage.journal import LogEntry

router = APIRouter(tags=["Events"])

LAST_EVENT_ID: Final = "Last-Event-ID"
_PARAMETER: Final[dict[str, Any]] = {
    "name": LAST_EVENT_ID,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": "^[0-9]{0,18}$"},
    "description": "The id of the last event that was received: the stream goes on after it. "
    "It counts more than `after`.",
}
_STREAM: Final[dict[str, Any]] = {
    "description": "Server-sent events: `id` is the event's, `event` its type, `data` the event as JSON. A `gap` comes "
    "first where the log no longer reaches back to the id. A comment every 15 s.",
    "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
}


@router.get(
    "/v1/events",
    response_class=Response,
    responses={200: _STREAM, **problems(400, 401, 403)},
    openapi_extra={"parameters": [_PARAMETER]},
)
async def follow_events(
    query: Annotated[EventsQuery, Query()], request: Request, deps: Deps, caller: CallerDep
) -> Response:
    """Follow the events of all rooms; a key with a prefix sees those of its rooms."""
    return await _stream(deps, caller, request, query, None)


@router.get(
    "/v1/rooms/{room}/events",
    response_class=Response,
    responses={200: _STREAM, **problems(400, 401, 403)},
    openapi_extra={"parameters": [_PARAMETER]},
)
async def follow_room_events(
    room: RoomPath, query: Annotated[EventsQuery, Query()], request: Request, deps: Deps, caller: CallerDep
) -> Response:
    """Follow the events of a room."""
    caller.require(room)
    return await _stream(deps, caller, request, query, room)


@router.get(
    "/v1/segments/{segment_id}/events",
    response_model=models.EventPage,
    responses={
        200: {"content": _STREAM["content"]},
        204: {"description": "The segment has ended, and the stream was read to its end."},
        **problems(400, 401, 403, 404),
    },
    openapi_extra={"parameters": [_PARAMETER]},
)
async def segment_events(
    segment_id: SegmentPath,
    query: Annotated[HistoryQuery, Query()],
    request: Request,
    deps: Deps,
    caller: CallerDep,
) -> Response:
    """Return a segment's history, or, with `Accept: text/event-stream`, follow it from its beginning to its end."""
    segment = await deps.gateway.segment(segment_id)
    caller.require(segment.room)
    after = _after(request, query.after) or 0
    page = await deps.store.log(after, query.limit + 1, segment=segment_id)
    if MEDIA_TYPE not in request.headers.get("accept", ""):
        shown = page.entries[: query.limit]
        more = str(shown[-1].event.seq) if len(page.entries) > query.limit else None
        return JSONResponse({"events": [event_json(entry) for entry in shown], "next": more})
    if segment.state.terminal and not page.entries:
        return Response(status_code=204)  # a browser does not come back after it
    entries = follow(deps.store, deps.feed, Selection(segment=segment_id), after, heartbeat=HEARTBEAT)
    return EventStream(_until_the_end(entries))


@router.post(
    "/v1/rooms/{room}/tickets",
    status_code=201,
    response_model=models.Ticket,
    responses=problems(400, 401, 403),
    openapi_extra=json_body(TicketBody),
)
async def make_ticket(
    room: RoomPath, _: Annotated[NoQuery, Query()], request: Request, deps: Deps, caller: CallerDep
) -> Response:
    """Make a ticket for a browser, whose `EventSource` cannot send a key: `GET /v1/rooms/{room}/events?ticket=…`."""
    caller.require(room)
    body = await read_json(request, TicketBody)
    ticket = deps.tickets.issue(room, body.opens, body.expires_in)
    return JSONResponse({"room": room, "ticket": ticket, "opens": body.opens, "expires_in": body.expires_in}, 201)


async def _stream(
    deps: Dependencies, caller: Caller, request: Request, query: EventsQuery, room: str | None
) -> EventStream:
    selection = Selection(room=room, wanted=_wanted(caller, query.avatar))
    after = _after(request, query.after)
    begins = (await deps.store.log(0, 0)).last if after is None else after
    entries = follow(deps.store, deps.feed, selection, begins, heartbeat=HEARTBEAT)
    return EventStream(entries, begins=begins if after is None else None)


def _wanted(caller: Caller, avatar: str | None) -> Callable[[LogEntry], bool]:
    return lambda entry: caller.may(entry.event.room) and avatar in (None, avatar_of(entry))


def _after(request: Request, after: str | None) -> int | None:
    """:raises ApiProblem: the header is no id of an event."""
    if not (given := request.headers.get(LAST_EVENT_ID)):
        return None if after is None else int(after)
    if re.fullmatch("[0-9]{1,18}", given, re.ASCII) is None:
        raise ApiProblem("bad-parameter", f"{LAST_EVENT_ID} is no id of an event.", field=LAST_EVENT_ID)
    return int(given)


async def _until_the_end(entries: AsyncIterator[LogEntry | Gap | None]) -> AsyncIterator[LogEntry | Gap | None]:
    async for entry in entries:
        yield entry
        if isinstance(entry, LogEntry) and entry.ends_its_segment:
            return
