"""Makes the sound files of this folder anew: `python assets/make.py` (needs the extra `offline`).

Every file is speech from the offline voice (hibari-tts, its bundled voice "heart", a fixed seed), resampled with
soxr. The texts are our own; README.md beside this file says what each file holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr
from hibari import SAMPLE_RATE, Hibari

FOLDER = Path(__file__).parent
SEED = 7
PEAK = 0.7
"""Of full scale: about -3 dB, so that a lossy codec's overshoot does not clip."""
PAUSE = 0.28
"""Seconds between sentences."""
BLOCK = 24_000
"""Frames a write: libsndfile 1.2.2 overflows its stack when a minute of Ogg/Vorbis is written in one call."""

Sound = npt.NDArray[np.float32]

HELLO = "Hello world. This is Mouthpiece speaking."

GREETING = "Good morning! Two ears, one voice. Send a sound, and the avatar in the room says it."

STORY = """
At the edge of a small harbour stood a lighthouse whose keeper had lost her voice in a winter storm. She could still
hear the ships, the gulls, and the long slow breathing of the sea, but when a captain called up to her through the fog,
she could only wave a lantern.

One evening a travelling clockmaker stayed in the room below the lamp. He saw her trouble, and he asked for a brass
funnel, a drawer of old springs, and seven days of quiet. On the eighth day he carried a wooden head up the stairs. It
had a hinged jaw, two painted eyes, and a very patient smile.

"It has nothing to say of its own," the clockmaker explained. "But whatever you send it, it will say for you; and when
the last word has left its lips, it will ring this little bell. Then you will know that you were heard."

So the keeper wrote her first sentence. Mind the rocks on your left, and keep the green light behind you! The wooden
head spoke it across the water, the ship turned, and the bell rang once. Far out in the fog, someone laughed with
relief.

From that night on, the harbour was never silent. People brought messages from everywhere: a birthday song, a price for
fish, a promise. The head said them all, one after another, and it never spoke two at once. And after every single one
of them, soft and clear, the little bell.
"""


def speech(voice: Hibari, text: str) -> Sound:
    """Mono, at the voice's own rate; sentences with a pause between them."""
    text = " ".join(text.split())
    pause = np.zeros(round(PAUSE * SAMPLE_RATE), dtype=np.float32)
    parts: list[Sound] = []
    for sentence in voice.stream(text, seed=SEED):
        parts += [sentence, pause]
    joined = np.concatenate(parts[:-1])
    return np.asarray(joined * (PEAK / np.abs(joined).max()), dtype=np.float32)


def at(rate: int, sound: Sound) -> Sound:
    return np.asarray(soxr.resample(sound, SAMPLE_RATE, rate, quality="VHQ"), dtype=np.float32)


def panned(sound: Sound) -> Sound:
    """Mono to ``(n, 2)``: the voice walks from the left ear to the right one, at constant power."""
    angle = np.linspace(0.1, 0.9, len(sound), dtype=np.float32) * np.float32(np.pi / 2)
    return np.stack([sound * np.cos(angle), sound * np.sin(angle)], axis=1)


def write(name: str, sound: Sound, rate: int, subtype: str | None = None) -> None:
    path = FOLDER / name
    channels = 1 if sound.ndim == 1 else sound.shape[1]
    with soundfile.SoundFile(path, "w", rate, channels, subtype=subtype) as file:
        for start in range(0, len(sound), BLOCK):
            file.write(sound[start : start + BLOCK])
    print(f"{name:32} {soundfile.info(path).duration:6.2f} s {path.stat().st_size:9,} bytes")


def main() -> None:
    voice = Hibari()
    hello, greeting, story = (speech(voice, text) for text in (HELLO, GREETING, STORY))
    files: Mapping[str, tuple[Sound, int, str | None]] = {
        "hello_world_16kHz.wav": (at(16_000, hello), 16_000, "PCM_16"),
        "lighthouse_16kHz.wav": (at(16_000, story), 16_000, "PCM_16"),
        "greeting_44kHz_stereo.wav": (panned(at(44_100, greeting)), 44_100, "PCM_16"),
        "greeting_24kHz.mp3": (greeting, SAMPLE_RATE, None),
        "greeting_48kHz.ogg": (at(48_000, greeting), 48_000, "VORBIS"),
        "lighthouse_24kHz.ogg": (story, SAMPLE_RATE, "OPUS"),
    }
    for name, (sound, rate, subtype) in files.items():
        write(name, sound, rate, subtype)


if __name__ == "__main__":
    main()
