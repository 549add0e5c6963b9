"""The viewers' page: the files that ``web/`` builds, with their security policy and cache headers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.staticfiles import StaticFiles

FOREVER: Final = "public, max-age=31536000, immutable"
"""For files whose name holds a hash of their content."""
NOT_BUILT: Final = """\
The page is not built. In a checkout of Mouthpiece `make web` builds it (Node.js comes as a wheel if there is none);
then restart the sender. Or name the folder of a built page in MOUTHPIECE_WEB.

The API is here: /docs describes it, /healthz says that it is alive.
"""


def find_page(given: Path | None) -> Path | None:
    """Return the folder of the built page: ``given``, or else the repository's, the wheel's or the image's; None if
    there is none."""
    repository = Path(__file__).parents[3] / "web" / "dist"
    wheel = Path(__file__).parents[1] / "page"
    image = Path(sys.prefix) / "share" / "page"
    folders = (given,) if given is not None else (repository, wheel, image)
    return next((folder for folder in folders if (folder / "index.html").is_file()), None)


def security_policy(livekit_url: str) -> str:
    """Return the page's ``Content-Security-Policy``: its own origin, and LiveKit at ``livekit_url`` (ws or wss)."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; "
        f"connect-src 'self' {' '.join(livekit_sources(livekit_url))}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )


def livekit_sources(url: str) -> Sequence[str]:
    """Return the sources that LiveKit's client connects to: a WebSocket, and HTTP at the same address, which it asks
    why the WebSocket failed. LiveKit Cloud redirects it to the nearest region, a sibling of the project's host."""
    parts = urlsplit(url)
    secure = "s" if parts.scheme in ("wss", "https") else ""
    hosts = [parts.netloc]
    if parts.hostname and parts.hostname.endswith(".livekit.cloud"):
        hosts.append("*.livekit.cloud")
    return [f"{scheme}{secure}://{host}" for host in hosts for scheme in ("ws", "http")]


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes that the service refuses. The page reads them from ``/page.json`` and refuses before it sends."""

    max_upload: int
    """Bytes of a request's body."""
    max_text: int
    """Characters."""


class Page:
    """Serves one folder of built files."""

    def __init__(self, folder: Path, policy: str) -> None:
        self._files = StaticFiles(directory=folder)
        self._headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",  # the address may hold the room
        }

    async def file(self, request: Request, path: str) -> Response:
        """Return the file at ``path``.

        :raises HTTPException: 404, there is no such file.
        """
        response = await self._files.get_response(path, request.scope)
        response.headers.update(self._headers)
        response.headers["Cache-Control"] = FOREVER if path.startswith("assets/") else "no-cache"
        return response


def install(app: FastAPI, folder: Path | None, livekit_url: str, limits: Limits) -> None:
    """Add the routes of the page: ``/``, ``/page.json``, ``/<name>`` and ``/assets/<name>``. Call it last: ``/<name>``
    matches much."""
    if folder is None:

        async def not_built(_: Request) -> Response:
            return PlainTextResponse(NOT_BUILT)

        app.add_route("/", not_built, methods=["GET"], include_in_schema=False)
        return
    page = Page(folder, security_policy(livekit_url))

    async def index(request: Request) -> Response:
        return await page.file(request, "index.html")

    async def settings(_: Request) -> Response:
        return JSONResponse(asdict(limits), headers={"Cache-Control": "no-cache"})

    async def beside(request: Request) -> Response:
        return await page.file(request, request.path_params["name"])

    async def asset(request: Request) -> Response:
        return await page.file(request, f"assets/{request.path_params['name']}")

    app.add_route("/", index, methods=["GET"], include_in_schema=False)
    app.add_route("/page.json", settings, methods=["GET"], include_in_schema=False)
    app.add_route("/assets/{name}", asset, methods=["GET"], include_in_schema=False)
    app.add_route("/{name}", beside, methods=["GET"], include_in_schema=False)
