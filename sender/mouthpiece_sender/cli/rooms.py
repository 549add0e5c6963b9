"""``mouthpiece rooms``."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Table

from mouthpiece import profiles
from mouthpiece_sender.cli import options
from mouthpiece_sender.cli.outcome import ExitCode, run
from mouthpiece_sender.cli.service_client import ServiceClient
from mouthpiece_sender.livekit.server_api import LiveKitAccess, LiveKitApi


def rooms(
    service: options.Service = None,
    url: options.Url = None,
    api_secret_file: options.SecretFile = None,
    as_json: options.Json = False,
) -> None:
    """List the rooms, with their avatars and the number of viewers.

    Example:

      mouthpiece rooms --json
    """

    async def work() -> int:
        if service is not None:
            async with ServiceClient(service) as client:
                found = (await client.rooms())["rooms"]
        else:
            found = await _look(options.livekit_access(url, api_secret_file))
        if as_json:
            print(json.dumps({"rooms": found}))
            return ExitCode.FINISHED
        if not found:
            print("There are no rooms.")
            return ExitCode.FINISHED
        table = Table("Room", "Avatars", "Viewers")
        for room in found:
            avatars = ", ".join(f"{avatar['identity']} ({avatar['profile']})" for avatar in room["avatars"])
            viewers = room["viewers"]
            table.add_row(room["room"], avatars or "none", "?" if viewers is None else str(viewers))
        Console().print(table)
        return ExitCode.FINISHED

    run(work)


async def _look(access: LiveKitAccess) -> list[dict[str, Any]]:
    async with LiveKitApi(access) as server:
        found = []
        for room in await server.rooms():
            participants = await server.participants(room.name) or []
            avatars = [
                {"identity": facts.identity, "profile": profile.name}
                for facts in participants
                if (profile := profiles.recognise(facts.identity, facts.attributes, facts.is_agent))
            ]
            viewers = sum(facts.is_viewer for facts in participants)
            found.append({"room": room.name, "avatars": avatars, "viewers": viewers})
    return found
