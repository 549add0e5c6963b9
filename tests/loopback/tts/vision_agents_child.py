"""Runs in an environment that holds the real vision-agents: takes its plugins as they are and prints what came of it.

Arguments: the two emulators' addresses, the key, the text. One line of JSON a trial.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from elevenlabs.client import AsyncElevenLabs
from openai import AsyncOpenAI
from vision_agents.core.tts.tts import TTS as RealTTS
from vision_agents.plugins import elevenlabs as elevenlabs_plugin
from vision_agents.plugins import openai as openai_plugin

from mouthpiece.tts import TTSError, TTSEvent, create


async def trial(name: str, plugin: Any, text: str) -> None:
    assert isinstance(plugin, RealTTS)
    async with create("vision_agents", plugin=plugin) as tts:
        tts.set_output_format(48_000, 2)
        kinds: list[str] = []
        frames = 0

        @tts.events.subscribe
        async def on_any(event: TTSEvent) -> None:
            nonlocal frames
            kinds.append(event.type)
            if data := getattr(event, "data", None):
                assert (data.sample_rate, data.channels) == (48_000, 2)
                frames += data.frames

        error = None
        try:
            await tts.send(text)
        except TTSError as raised:
            error = type(raised).__name__
        report = {"trial": name, "provider": tts.provider_name, "kinds": kinds, "frames": frames, "error": error}
        sys.stdout.write(json.dumps(report) + "\n")


async def main(openai_url: str, elevenlabs_url: str, key: str, text: str) -> None:
    def openai(key: str) -> Any:
        client = AsyncOpenAI(api_key=key, base_url=f"{openai_url}/v1", max_retries=0)
        return openai_plugin.TTS(api_key=key, client=client)

    def elevenlabs(key: str) -> Any:
        return elevenlabs_plugin.TTS(client=AsyncElevenLabs(api_key=key, base_url=elevenlabs_url))

    await trial("openai speaks", openai(key), text)
    await trial("elevenlabs speaks", elevenlabs(key), text)
    await trial("openai with a wrong key", openai("wrong"), text)
    await trial("elevenlabs with a wrong key", elevenlabs("wrong"), text)

    async with create("vision_agents", plugin=elevenlabs(key)) as tts:
        tts.buffer_seconds = 0.5
        synthesis = tts.synthesize(text * 100)
        await anext(synthesis)
        await tts.stop_audio()
        rest = [chunk async for chunk in synthesis]
        if ours := {task for task in asyncio.all_tasks() if task.get_name().startswith("tts-")}:
            await asyncio.wait(ours, timeout=1)
        left = [task.get_name() for task in ours if not task.done()]
        report = {"trial": "stop", "state": synthesis.state.value, "rest": len(rest), "left": left}
        sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
