"""flite prints its segments and their ends; festival saves them."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import soundfile
from training.lips.phones import DARPA, Segment
from training.lips.speech import Utterance, at_rate


def flite(text: str, voice: str, *, stretch: float = 1.0) -> Utterance:
    """:param stretch: how many times longer than usual everything takes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "said.wav")
        said = subprocess.run(
            ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-psdur", "-t", text, "-o", str(path)],
            capture_output=True,
            text=True,
            check=True,
        )
        samples, rate = soundfile.read(path, dtype="int16")
    segments, before = [], 0.0
    for word in said.stdout.split():
        phone, _, end = word.rpartition(":")
        segments.append(Segment(phone, before, float(end)))
        before = float(end)
    return Utterance(f"flite:{voice}", at_rate(samples, rate), segments, DARPA)


def festival(texts: list[str], voice: str, table: dict[str, str], encoding: str) -> list[Utterance]:
    """Say all of ``texts``; what the voice refuses is left out."""
    said = []
    with tempfile.TemporaryDirectory() as folder:
        lines = [f"(voice_{voice})"]
        for number, text in enumerate(texts):
            quoted = text.replace("\\", "").replace('"', "")
            lines.append(f'(unwind-protect (begin (set! said (utt.synth (Utterance Text "{quoted}")))'
                         f'(utt.save.segs said "{folder}/{number}.segs")'
                         f'(utt.save.wave said "{folder}/{number}.wav" \'riff)) nil)')  # fmt: skip
        script = Path(folder, "say.scm")
        script.write_bytes("\n".join(lines).encode(encoding, "ignore"))
        subprocess.run(["festival", "--batch", str(script)], capture_output=True, check=False)
        for number in range(len(texts)):
            sound, marks = Path(folder, f"{number}.wav"), Path(folder, f"{number}.segs")
            if not sound.exists() or not marks.exists():
                continue
            samples, rate = soundfile.read(sound, dtype="int16")
            segments, before = [], 0.0
            for line in marks.read_bytes().decode(encoding, "ignore").splitlines():
                fields = line.split()
                if (len(fields) >= 3 and fields[0] != "#") or (len(fields) == 3 and fields[0] not in ("#",)):
                    end, phone = float(fields[0]), fields[-1]
                    segments.append(Segment(phone, before, end))
                    before = end
            said.append(Utterance(f"festival:{voice}", at_rate(samples, rate), segments, table))
    return said
