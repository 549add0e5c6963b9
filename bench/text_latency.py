"""How soon a text is heard, and whether a long one has a gap that its voice did not make.

::

    python bench/text_latency.py [--trials 20] [--words 2000] [--json FILE]

Starts a livekit-server, the avatar and the sender's service, each in a process of its own, and joins as a viewer. Then:

- from ``POST …/segments`` with a text to the viewer's first loud frame of 10 ms: texts that were never said, and the
  same ones again, which are not synthesised
- the same for texts of ``--words`` words, each interrupted once it is heard
- one of them to its end: the longest silence within it beside the longest that the voice itself
  made, how much longer it took from its first to its last sound than the voice's own sound is, and the service's memory

The offline voice says the same for the same text, so the bench synthesises it once more and knows every pause.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx
import numpy as np
import psutil

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import services  # noqa: E402
from bench.services import ROOM  # noqa: E402
from bench.words import sentence  # noqa: E402

from mouthpiece_sender.demo.livekit_server import LiveKit  # noqa: E402
from mouthpiece_sender.speech.voices import Voices  # noqa: E402
from tests.live.viewer import FRAME, LOUD, Viewer, viewer_token  # noqa: E402

PAUSE = 0.05
"""Seconds of silence from which a pause is counted: shorter ones lie within words."""


@dataclass
class Figures:
    first_ms: list[float] = field(default_factory=list)
    again_ms: list[float] = field(default_factory=list)
    long_words: int = 0
    long_first_ms: list[float] = field(default_factory=list)
    long_seconds: float = 0.0
    longest_pause_heard_ms: float = 0.0
    longest_pause_made_ms: float = 0.0
    longer_than_made_ms: float = 0.0
    memory_before_mb: float = 0.0
    memory_after_start_mb: float = 0.0
    memory_most_mb: float = 0.0


def text_of(words: int, seed: int) -> str:
    """Sentences of 6 to 18 words that no other seed gives."""
    random = np.random.default_rng(seed)
    sentences, count = [], 0
    while count < words:
        length = min(int(random.integers(6, 19)), max(3, words - count))
        sentences.append(sentence(random, length))
        count += length
    return " ".join(sentences)


async def said(client: httpx.AsyncClient, viewer: Viewer, text: str) -> tuple[float, str, float]:
    """Milliseconds until it was heard, the segment's id, and when that was."""
    asked = time.monotonic()
    answer = await client.post(f"/v1/rooms/{ROOM}/segments", json={"text": text})
    answer.raise_for_status()
    onset = await viewer.onset(asked)
    return 1000 * (onset - asked), answer.json()["id"], onset


async def ended(client: httpx.AsyncClient, segment: str) -> None:
    while True:
        answer = await client.get(f"/v1/segments/{segment}", params={"wait": "finished", "timeout": 30})
        if answer.json()["state"] not in ("queued", "playing"):
            assert answer.json()["state"] == "finished", answer.text
            return


async def made(text: str) -> tuple[list[float], float]:
    """The pauses that the voice makes, and seconds from its first to its last sound."""
    async with Voices() as voices:
        sound, _ = await voices.sound(text)
        async with sound.open() as blocks:
            samples = np.concatenate([block.samples async for block in blocks]).astype(np.float32)
    size = round(FRAME * sound.info.sample_rate)
    frames = samples[: len(samples) - len(samples) % size].reshape(-1, size)
    loud = np.nonzero(np.sqrt(np.mean(np.square(frames), axis=1)) >= LOUD)[0]
    pauses = FRAME * (np.diff(loud) - 1)
    return [float(pause) for pause in pauses if pause >= PAUSE], float(FRAME * (loud[-1] - loud[0] + 1))


def megabytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6


async def measure(livekit: LiveKit, trials: int, words: int) -> Figures:
    figures = Figures(long_words=words)
    async with (
        services.service(livekit) as (client, process),
        Viewer(livekit.url, viewer_token(livekit, ROOM)) as viewer,
    ):
        await viewer.ready()
        _, segment, _ = await said(client, viewer, "The first text joins the room.")
        await ended(client, segment)
        for into, label in ((figures.first_ms, "new"), (figures.again_ms, "again")):
            for trial in range(trials):
                print(f"\r{label} texts: {trial + 1} of {trials} ", end="", file=sys.stderr, flush=True)
                await viewer.offset(time.monotonic(), quiet=0.4)
                late, segment, _ = await said(client, viewer, text_of(9, trial + 1))
                into.append(late)
                await ended(client, segment)
        for trial in range(trials):
            print(f"\rlong texts: {trial + 1} of {trials} ", end="", file=sys.stderr, flush=True)
            await viewer.offset(time.monotonic(), quiet=0.4)
            late, _, _ = await said(client, viewer, text_of(words, 1000 + trial))
            figures.long_first_ms.append(late)
            (await client.post(f"/v1/rooms/{ROOM}/interrupt")).raise_for_status()
        await viewer.offset(time.monotonic(), quiet=0.4)
        text = text_of(words, 0)
        figures.memory_before_mb = megabytes(process)
        _, segment, onset = await said(client, viewer, text)
        ending = asyncio.create_task(ended(client, segment))
        while not ending.done():
            await asyncio.wait([ending], timeout=0.5)
            memory, seconds = megabytes(process), time.monotonic() - onset
            if seconds < 30:
                figures.memory_after_start_mb = max(figures.memory_after_start_mb, memory)
            figures.memory_most_mb = max(figures.memory_most_mb, memory)
            print(f"\r{words} words: {seconds:.0f} s, {memory:.0f} MB ", end="", file=sys.stderr, flush=True)
        await ending
        await viewer.offset(time.monotonic(), quiet=0.4)
        heard = [sound for sound in viewer.sounds if sound.at >= onset]
        loud = [place for place, sound in enumerate(heard) if sound.rms >= LOUD]
        own, length = await made(text)
        figures.long_seconds = length
        figures.longest_pause_heard_ms = 1000 * max(viewer.gaps(onset), default=0.0)
        figures.longest_pause_made_ms = 1000 * max(own, default=0.0)
        figures.longer_than_made_ms = 1000 * (FRAME * (loud[-1] - loud[0] + 1) - length)
    print("\r" + " " * 60 + "\r", end="", file=sys.stderr)
    return figures


def shown(values: list[float]) -> str:
    ordered = sorted(values)
    worst = ordered[max(0, round(0.95 * len(ordered)) - 1)]
    return f"{statistics.median(values):.0f} (p95 {worst:.0f}, {ordered[0]:.0f} to {ordered[-1]:.0f})"


def table(figures: Figures) -> str:
    rows = [
        ("POST to heard, new text, ms", shown(figures.first_ms)),
        ("POST to heard, said before, ms", shown(figures.again_ms)),
        (f"POST to heard, new text of {figures.long_words} words, ms", shown(figures.long_first_ms)),
        ("its length, s", f"{figures.long_seconds:.1f}"),
        (
            "longest pause, heard and made, ms",
            f"{figures.longest_pause_heard_ms:.0f}, {figures.longest_pause_made_ms:.0f}",
        ),
        ("heard longer than made, ms", f"{figures.longer_than_made_ms:.0f}"),
        (
            "service's memory: before, first 30 s, most, MB",
            f"{figures.memory_before_mb:.0f}, {figures.memory_after_start_mb:.0f}, {figures.memory_most_mb:.0f}",
        ),
    ]
    return "\n".join(f"{name:48}{value}" for name, value in rows)


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=20, help="texts (20)")
    parser.add_argument("--words", type=int, default=2000, help="of the long text (2000: about eleven minutes)")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    options = parser.parse_args()
    async with services.server() as livekit, services.avatar(livekit):
        figures = await measure(livekit, options.trials, options.words)
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps(asdict(figures), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
