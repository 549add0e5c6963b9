"""Loaded by Schemathesis in ``test_schemathesis.py``: what would make a request wait does so for a moment."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    """A request may wait an hour, and for a viewer for ever; without a time-out it waits half a minute."""
    timeout = case.query.get("timeout", 30)
    if case.query.get("wait") in ("playing", "finished") and isinstance(timeout, int | float) and timeout > 0.1:
        case.query["timeout"] = 0.1
