"""Holds the network of the compose file, and keeps its development keys on this machine: ``python -m …gate``.

Docker ties a network namespace to the container that made it: were that LiveKit's, its restart would cut the others
off. This one does nothing that could fail, like the pause container of a Kubernetes pod.
"""

from __future__ import annotations

import ipaddress
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from mouthpiece_sender.livekit_server import DEV_SECRET

DEV_API_KEY = "mouthpiece-development-key"
"""What docker-compose.yml gives the sender where nobody set a key."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to print, and whether to go on."""

    lines: tuple[str, ...]
    admitted: bool = True


def judge(environment: Mapping[str, str]) -> Verdict:
    """Development keys are public: they may be published on loopback only."""
    publish = environment.get("MOUTHPIECE_PUBLISH") or "127.0.0.1"
    development = [
        name
        for name, known in (("LIVEKIT_API_SECRET", DEV_SECRET), ("MOUTHPIECE_API_KEYS", DEV_API_KEY))
        if environment.get(name) == known
    ]
    if development and not _is_loopback(publish):
        return Verdict(
            (
                f"MOUTHPIECE_PUBLISH={publish} would open this to other machines with development keys that everybody "
                f"can read in docker-compose.yml. Set {' and '.join(development)} first (.env.local.example says how).",
            ),
            admitted=False,
        )
    lines = [f"Mouthpiece: http://{publish}:{environment.get('MOUTHPIECE_SENDER_PORT') or 8090}"]
    if environment.get("MOUTHPIECE_API_KEYS") == DEV_API_KEY:
        lines.append(f"The page and the API ask for a key: {DEV_API_KEY}")
    if development:
        lines.append(
            f"DEVELOPMENT KEYS: {' and '.join(development)} must change before anything here is exposed to others."
        )
    return Verdict(tuple(lines))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address == "localhost"


def main() -> int:
    verdict = judge(os.environ)
    for line in verdict.lines:
        print(line, file=sys.stderr, flush=True)
    if not verdict.admitted:
        return 1
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    return 0


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    sys.exit(main())
