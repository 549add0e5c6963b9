"""Writes ``clients/openapi.json``, which clients are generated from: ``python clients/describe.py``."""

from __future__ import annotations

import json
from pathlib import Path

from mouthpiece_sender.api.app import described_app
from mouthpiece_sender.api.openapi import describe

if __name__ == "__main__":
    text = json.dumps(describe(described_app()), indent=1, ensure_ascii=False)
    (Path(__file__).parent / "openapi.json").write_text(f"{text}\n")
