"""Requests that the OpenAPI document allows, and some that it does not, against the running service (Schemathesis)."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.loopback.sender.conftest import running
from tests.product_source import ROOT

CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance"),
    *("response_schema_conformance", "unsupported_method", "missing_required_header"),
)
STREAMS = ("follow_events", "follow_room_events")
"""They have no end."""
EXAMPLES = 12
"""Requests for each call and phase."""

pytestmark = pytest.mark.timeout(300)


async def test_no_answer_is_other_than_described(tmp_path: Path) -> None:
    async with running(tmp_path, avatar_timeout=0.2, callback_secret=None) as sender:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "run", str(ROOT / "clients" / "openapi.json")),
            *("--url", sender.url, "--max-examples", str(EXAMPLES), "--phases", "examples,coverage,fuzzing"),
            *("--checks", ",".join(CHECKS), "--mode", "all", "--request-timeout", "20", "--generation-deterministic"),
            *(option for name in STREAMS for option in ("--exclude-operation-id", name)),
            *("--suppress-health-check", "all", "--no-color"),
            cwd=tmp_path,
            env=os.environ
            | {"SCHEMATHESIS_HOOKS": "tests.loopback.client.hooks_for_schemathesis", "PYTHONPATH": str(ROOT)}
            | {"NO_PROXY": "127.0.0.1"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    assert "passed" in said
