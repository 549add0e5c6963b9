"""Refuses to publish development keys: the first container of the compose file, which the others wait for.

Its command is ``python -m mouthpiece_sender.demo.compose_guard``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from mouthpiece.process.sockets import is_loopback
from mouthpiece_sender.demo.livekit_server import DEV_SECRET

DEV_API_KEY = "mouthpiece-development-key"
"""The sender's API key in docker-compose.yml, in use until a key is set."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The lines to print, and whether the services may start."""

    lines: tuple[str, ...]
    admitted: bool = True


def judge(environment: Mapping[str, str]) -> Verdict:
    """Refuse to publish development keys beyond loopback: everybody can read them."""
    publish = environment.get("MOUTHPIECE_PUBLISH") or "127.0.0.1"
    key_is_public = _holds_development_key(environment.get("MOUTHPIECE_API_KEYS", ""))
    secret_is_public = environment.get("LIVEKIT_API_SECRET") == DEV_SECRET
    development = [
        name
        for name, is_public in (("LIVEKIT_API_SECRET", secret_is_public), ("MOUTHPIECE_API_KEYS", key_is_public))
        if is_public
    ]
    if development and not is_loopback(publish):
        return Verdict(
            (
                f"MOUTHPIECE_PUBLISH={publish} would open this to other machines with development keys that everybody "
                f"can read in docker-compose.yml. Set {' and '.join(development)} first (.env.local.example says how).",
            ),
            admitted=False,
        )
    lines = [f"Mouthpiece: http://{publish}:{environment.get('MOUTHPIECE_SENDER_PORT') or 8090}"]
    if key_is_public:
        lines.append(f"The page and the API ask for a key: {DEV_API_KEY}")
    if development:
        lines.append(
            f"DEVELOPMENT KEYS: {' and '.join(development)} must change before anything here is exposed to others."
        )
    return Verdict(tuple(lines))


def _holds_development_key(keys: str) -> bool:
    """:param keys: as in MOUTHPIECE_API_KEYS: with commas between them, each ``key`` or ``key:room-prefix``."""
    return any(entry.partition(":")[0].strip() == DEV_API_KEY for entry in keys.split(","))


def main() -> int:
    """Print the verdict; return the exit code, 1 if development keys were refused."""
    verdict = judge(os.environ)
    for line in verdict.lines:
        print(line, file=sys.stderr, flush=True)
    return 0 if verdict.admitted else 1


if __name__ == "__main__":
    sys.exit(main())
