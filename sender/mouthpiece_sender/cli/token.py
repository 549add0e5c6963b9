"""``mouthpiece token``."""

from __future__ import annotations

import datetime
import json
import secrets
from typing import Annotated

import typer

from mouthpiece.dispatch import DEFAULT_AGENT_NAME
from mouthpiece_sender.cli import options
from mouthpiece_sender.cli.outcome import ExitCode, run
from mouthpiece_sender.livekit.tokens import viewer_token


def token(
    room: options.Room,
    identity: Annotated[
        str | None, typer.Option(help="The viewer's identity; a random one if not given.", show_default=False)
    ] = None,
    name: Annotated[str | None, typer.Option(help="The name that others see.", show_default=False)] = None,
    bring_avatar: Annotated[
        bool, typer.Option("--bring-avatar", help="The first join with it dispatches the avatar (needs the worker).")
    ] = False,
    data: Annotated[bool, typer.Option("--data", help="The viewer may publish data (chat, RPC), too.")] = False,
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 30, help="Hours that the token is valid.")] = 6.0,
    url: options.Url = None,
    api_secret_file: options.SecretFile = None,
    as_json: options.Json = False,
) -> None:
    """Make a token for a viewer of a room.

    Examples:

      mouthpiece token --room demo --bring-avatar

      mouthpiece token --room demo --identity ada --json
    """

    async def work() -> int:
        access = options.livekit_access(url, api_secret_file)
        who = identity or f"viewer-{secrets.token_hex(3)}"
        agent = options.environment().get("AGENT_NAME", DEFAULT_AGENT_NAME) if bring_avatar else None
        lifetime = datetime.timedelta(hours=hours)
        made = viewer_token(access, room, who, name, agent_name=agent, lifetime=lifetime, data=data)
        if as_json:
            address = access.public_url or access.url
            print(json.dumps({"room": room, "identity": who, "livekit_url": address, "token": made}))
        else:
            print(made)
        return ExitCode.FINISHED

    run(work)
