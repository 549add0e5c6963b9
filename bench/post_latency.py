"""How fast the sender's HTTP API is heard: from a POST to a viewer's ear, and from an interrupt to silence there.

::

    python bench/post_latency.py [--trials 20] [--stock] [--json FILE]

Starts a livekit-server, the local avatar and ``mouthpiece serve``, each in a process of its own; joins as a viewer, and
measures over one kept-alive connection, with the room warm:

- answer: from sending ``POST …/segments`` (a WAV of 1.5 s, loud from its first sample) to the 202
- accept: the part of it from the body's end to the segment's being stored and handed over, as the service counts it
- first sound: from sending it to the viewer's first loud frame of 10 ms
- silence: from sending ``POST …/interrupt`` in the middle of a long one to the viewer's last loud frame
- stopped: from sending it to its answer, which has the receipt

``--stock`` measures livekit-agents' stock avatar beside it, as ``bench/latency.py`` does: from the byte stream's first
write, and from ``lk.clear_buffer``, with no service in between.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import random
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx
import numpy as np
import soundfile

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import latency, services  # noqa: E402

from mouthpiece_sender.demo.livekit_server import LiveKit  # noqa: E402
from tests.live.viewer import Viewer, viewer_token  # noqa: E402

ROOM = f"/v1/rooms/{services.ROOM}"


@dataclass
class Figures:
    """Milliseconds."""

    answer: list[float] = field(default_factory=list)
    first_sound: list[float] = field(default_factory=list)
    silence: list[float] = field(default_factory=list)
    stopped: list[float] = field(default_factory=list)
    accept: float = float("nan")
    """The mean; the service keeps no more."""


def sound(seconds: float) -> bytes:
    """A WAV file that is loud from its first sample to its last."""
    file = io.BytesIO()
    soundfile.write(file, np.frombuffer(latency.tone(seconds), np.int16), latency.RATE, format="WAV")
    return file.getvalue()


async def measure(livekit: LiveKit, trials: int, settings: Mapping[str, str] | None = None) -> Figures:
    """:param settings: further variables of the service's environment."""
    figures = Figures()
    short, long = sound(1.5), sound(30)
    async with (
        services.service(livekit, settings=settings) as (client, _),
        Viewer(livekit.url, viewer_token(livekit, services.ROOM), identity=services.AVATAR) as viewer,
    ):
        await viewer.ready()
        (await client.post(f"{ROOM}/segments", content=short, params={"wait": "finished"})).raise_for_status()
        for trial in range(trials):
            say(f"trial {trial + 1} of {trials}")
            await asyncio.sleep(0.7 + random.random() * 0.4)
            await _speak(client, viewer, short, figures)
            await asyncio.sleep(0.7 + random.random() * 0.4)
            await _interrupt(client, viewer, long, figures)
        figures.accept = await _accepted(client)
    return figures


async def _speak(client: httpx.AsyncClient, viewer: Viewer, body: bytes, figures: Figures) -> None:
    before = time.monotonic()
    answer = await client.post(f"{ROOM}/segments", content=body, headers={"Content-Type": "audio/wav"})
    figures.answer.append(1000 * (time.monotonic() - before))
    answer.raise_for_status()
    figures.first_sound.append(1000 * (await viewer.onset(before) - before))
    await viewer.offset(before)


async def _interrupt(client: httpx.AsyncClient, viewer: Viewer, body: bytes, figures: Figures) -> None:
    before = time.monotonic()
    (await client.post(f"{ROOM}/segments", content=body)).raise_for_status()
    await viewer.onset(before)
    await asyncio.sleep(0.5 + random.random())
    asked = time.monotonic()
    (await client.post(f"{ROOM}/interrupt")).raise_for_status()
    figures.stopped.append(1000 * (time.monotonic() - asked))
    figures.silence.append(1000 * (await viewer.offset(asked) - asked))


async def _accepted(client: httpx.AsyncClient) -> float:
    lines = (await client.get("/metrics")).text.splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if line.startswith("mouthpiece_accept_seconds_"))
    return 1000 * float(values["mouthpiece_accept_seconds_sum"]) / float(values["mouthpiece_accept_seconds_count"])


def table(ours: Figures, stock: latency.Figures | None) -> str:
    rows: list[tuple[str, str, str]] = [
        ("answer to a POST", latency.spread(ours.answer), ""),
        ("  of it: accept, mean", f"{ours.accept:.1f}", ""),
        ("first sound", latency.spread(ours.first_sound), latency.spread(stock.first_sound) if stock else ""),
        ("silence after an interrupt", latency.spread(ours.silence), latency.spread(stock.silence) if stock else ""),
        ("answer to an interrupt", latency.spread(ours.stopped), ""),
    ]
    heads = ("milliseconds: median (range)", "POST", "stock, no service" if stock else "")
    return "\n".join(f"{row[0]:30}{row[1]:>22}{row[2]:>22}".rstrip() for row in (heads, *rows))


def medians(ours: Figures, stock: latency.Figures | None) -> Mapping[str, object]:
    return {
        "post": asdict(ours),
        "medians": {
            name: statistics.median(values)
            for name, values in vars(ours).items()
            if isinstance(values, list) and values
        },
        "stock": None if stock is None else asdict(stock),
    }


def say(text: str) -> None:
    print(f"\r{text:60}", end="", file=sys.stderr, flush=True)


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=20, help="of each figure (20)")
    parser.add_argument("--stock", action="store_true", help="measure the stock avatar beside it")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    options = parser.parse_args()
    async with services.server() as livekit, services.avatar(livekit):
        ours = await measure(livekit, options.trials)
    stock: latency.Figures | None = None
    if options.stock:
        async with services.server() as livekit, latency.stock(livekit) as running:
            stock = await latency.measure(
                livekit, running, latency.flash, 1, 2 * options.trials, lambda text: say(f"stock: {text}")
            )
    say("")
    print(f"\r{table(ours, stock)}")
    if options.json:
        options.json.write_text(json.dumps(medians(ours, stock), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
