"""A service outside the agent that lets the avatar of a LiveKit room speak: one page, to copy and to change.

It needs a room's name and LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET (environment or .env.local), and nothing
of the agent: no session, no pipeline, no access to its process.

    python examples/external_audio_sender.py ROOM [SECONDS BETWEEN TWO SEGMENTS]
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C among the imports, which take a second: no traceback

import asyncio
import sys
from pathlib import Path

from mouthpiece.errors import MouthpieceError
from mouthpiece_sender import Speaker

SOUND = Path(__file__).parent.parent / "assets" / "hello_world_16kHz.wav"


async def run(room: str, interval: float = 5.0) -> None:
    """Says the same sentence again and again, ``interval`` seconds after it was heard to its end."""
    async with Speaker(room=room) as speaker:  # joins when the avatar is there, leaves with every stream closed
        while True:
            segment = await speaker.play(SOUND)
            said = await segment.finished()
            why = f": {said.error.detail}" if said.error else ""
            print(f"{said.state} after {said.position:.1f} s, receipt {said.receipt}{why}", flush=True)
            await asyncio.sleep(interval)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python external_audio_sender.py ROOM [SECONDS BETWEEN TWO SEGMENTS]")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # from here on it closes its stream and leaves
    try:
        asyncio.run(run(sys.argv[1], float(sys.argv[2]) if len(sys.argv) == 3 else 5.0))
    except KeyboardInterrupt:
        sys.exit(130)
    except MouthpieceError as error:
        sys.exit(str(error))
