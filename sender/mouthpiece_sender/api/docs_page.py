"""``/docs``: Swagger UI for ``/openapi.json``. Its files come from a wheel, so it works offline."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Swagger UI uses style attributes, and ``data:`` URLs for its icons."""
_DAY: Final = "public, max-age=86400"
_SCRIPT: Final = """\
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  presets: [SwaggerUIBundle.presets.apis],
});
"""
_PAGE: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mouthpiece API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" href="docs/favicon-32x32.png">
<body>
<noscript>This page needs JavaScript; the same description is at <a href="openapi.json">openapi.json</a>.</noscript>
<div id="reference"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_FILES: Final = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")


def install(app: FastAPI) -> None:
    """Add the routes of the page."""
    with as_file(files("fastapi_swagger") / "resources") as folder:
        _install(app, Path(folder))


def _install(app: FastAPI, folder: Path) -> None:
    async def page(_: Request) -> Response:
        return HTMLResponse(_PAGE, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"})

    async def part(request: Request) -> Response:
        name = request.path_params["name"]
        if name == "start.js":
            return Response(_SCRIPT, media_type="text/javascript", headers={"Cache-Control": "no-cache"})
        if name not in _FILES:
            raise HTTPException(404)
        return FileResponse(folder / name, headers={"Cache-Control": _DAY})

    app.add_route("/docs", page, methods=["GET"], include_in_schema=False)
    app.add_route("/docs/{name}", part, methods=["GET"], include_in_schema=False)
