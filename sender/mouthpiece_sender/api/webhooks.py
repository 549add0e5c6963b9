"""The operator's webhooks, and what is still to be delivered or could not be."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.responses import JSONResponse

from mouthpiece.segments import utc_now
from mouthpiece_sender.api import models
from mouthpiece_sender.api.dependencies import CallerDep, Deps
from mouthpiece_sender.api.openapi import problems
from mouthpiece_sender.api.problems import ApiProblem
from mouthpiece_sender.api.requests import DeliveriesQuery, NoBody, NoQuery, json_body, read_json
from mouthpiece_sender.segment_json import shown_time
from mouthpiece_sender.storage.deliveries import Delivery

router = APIRouter(tags=["Webhooks"])


@router.get("/v1/webhooks", response_model=models.WebhookList, responses=problems(400, 401, 403))
async def list_webhooks(_: Annotated[NoQuery, Query()], deps: Deps, caller: CallerDep) -> Response:
    """List the webhooks of `MOUTHPIECE_WEBHOOKS`, without their secrets; for a key that opens every room."""
    caller.require("")
    counts = await deps.deliveries.counts()
    shown = [
        {
            "id": webhook.id,
            "url": webhook.url,
            "events": list(webhook.events),
            "rooms": list(webhook.rooms),
            "pending": counts.get((webhook.id, "pending"), 0),
            "failed": counts.get((webhook.id, "failed"), 0),
        }
        for webhook in deps.settings.webhook_list
    ]
    return JSONResponse({"webhooks": shown})


@router.get("/v1/webhooks/deliveries", response_model=models.DeliveryPage, responses=problems(400, 401))
async def list_deliveries(query: Annotated[DeliveriesQuery, Query()], deps: Deps, caller: CallerDep) -> Response:
    """List what is still to be delivered, or could not be, the newest first; of the rooms that the key opens."""
    before = None if query.after is None else int(query.after)
    found = await deps.deliveries.list(query.state, query.limit + 1, before)
    page = found[: query.limit]
    shown = [_shown(delivery) for delivery in page if caller.may(delivery.entry.event.room)]
    more = str(page[-1].number) if len(found) > query.limit else None
    return JSONResponse({"deliveries": shown, "next": more})


@router.post(
    "/v1/webhooks/deliveries/{delivery_id}/retry",
    response_model=models.Delivery,
    responses=problems(400, 401, 403, 404),
    openapi_extra=json_body(NoBody),
)
async def retry_delivery(
    delivery_id: Annotated[str, Path(description="A delivery's id.", examples=["12"])],
    _: Annotated[NoQuery, Query()],
    request: Request,
    deps: Deps,
    caller: CallerDep,
) -> Response:
    """Send one that could not be delivered again, or one that waits at once."""
    number = int(delivery_id) if delivery_id.isascii() and delivery_id.isdigit() and len(delivery_id) < 19 else 0
    found = await deps.deliveries.get(number)
    if found is None:
        raise ApiProblem("delivery-not-found", "There is no such delivery: it arrived, or its event was removed.")
    caller.require(found.entry.event.room)
    await read_json(request, NoBody)
    await deps.deliveries.retry(number, utc_now())
    deps.dispatch.look()
    return JSONResponse(_shown(await deps.deliveries.get(number) or found))


def _shown(delivery: Delivery) -> dict[str, Any]:
    event = delivery.entry.event
    return {
        "id": str(delivery.number),
        "webhook": None if delivery.receiver.name.startswith("callback ") else delivery.receiver.name,
        "url": delivery.receiver.url,
        "event": str(event.seq),
        "type": event.type,
        "room": event.room,
        "segment": event.segment,
        "state": delivery.state,
        "tries": delivery.tries,
        "created_at": shown_time(delivery.created_at),
        "due_at": None if delivery.due_at is None else shown_time(delivery.due_at),
        "detail": delivery.detail,
    }
