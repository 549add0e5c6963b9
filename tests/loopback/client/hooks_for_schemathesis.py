"""Loaded by Schemathesis (``test_schemathesis.py``): what would wait does so for a moment; no name is looked up."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    """A request may wait an hour, and for a viewer for ever; without a time-out it waits half a minute."""
    if case.query.get("wait") in ("playing", "finished") and _is_long(case.query.get("timeout", 30)):
        case.query["timeout"] = 0.1
    if isinstance(case.body, dict) and str(case.body.get("url", "")).startswith("http"):
        case.body["url"] = "http://127.0.0.1:9/"


def _is_long(timeout: Any) -> bool:
    """:param timeout: a number, or one as text; else the service refuses it."""
    try:
        return float(timeout) > 0.1
    except (TypeError, ValueError):
        return False
