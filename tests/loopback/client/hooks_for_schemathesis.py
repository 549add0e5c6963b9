"""Loaded by Schemathesis in ``test_schemathesis.py``: what would make a request wait does so for a moment."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.hook
def map_query(context: schemathesis.HookContext, query: dict[str, Any] | None) -> dict[str, Any] | None:
    """A request may wait an hour; and for a viewer for ever."""
    timeout = (query or {}).get("timeout")
    if query and isinstance(timeout, int | float) and timeout > 0.1:
        query["timeout"] = 0.1
    if query and query.get("wait") in ("playing", "finished"):
        query.setdefault("timeout", 0.1)
    return query
