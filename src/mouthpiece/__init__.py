"""The core of Mouthpiece: the wire, the profiles, the ledger, sound and text; no web framework, no agents."""

import os

# onnxruntime's wheels for Linux look up a Microsoft host for telemetry once a session exists (1.31.1). They read this
# at their import, which every program of ours does after this one; a value that is there already is kept.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
