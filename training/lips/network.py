"""A network of two hidden layers, trained by Adam in numpy: nothing else is needed for 160,000 weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mouthpiece_avatar.lips.features import BANDS, WIDTH, Floats

HIDDEN = (256, 128)
_BATCH = 512
_DROP = 0.3
"""Share of the inner values that a step leaves out."""
_CURVE, _BAND = 0.25, 0.1
"""Standard deviation of what a step adds to the bands of all hops that are looked at together, as another microphone
would: of each of three smooth curves over the bands, and of each band by itself."""
_CURVES = np.polynomial.chebyshev.chebvander(np.linspace(-1, 1, BANDS), 3)[:, 1:].T


def contexts(rows: Floats, width: int) -> Floats:
    """Return a view of ``rows`` in which row ``n`` is the ``width`` rows from ``n`` on, one after the other."""
    return np.lib.stride_tricks.sliding_window_view(rows.reshape(-1), width * WIDTH)[::WIDTH]


def start(inputs: int, outputs: int, random: np.random.Generator) -> list[Floats]:
    """Return weights and biases of the layers, weights (in, out)."""
    layers: list[Floats] = []
    for wide, narrow in zip((inputs, *HIDDEN), (*HIDDEN, outputs), strict=True):
        layers.append(random.normal(0, np.sqrt(2 / wide), (wide, narrow)).astype(np.float32))
        layers.append(np.zeros(narrow, np.float32))
    layers[-2] *= 0.1
    return layers


def train(
    rows: Floats,
    classes: npt.NDArray[np.int8],
    importance: Floats,
    usable: npt.NDArray[np.intp],
    offsets: npt.NDArray[np.intp],
    outputs: int,
    *,
    steps: int,
    seed: int,
    report: Callable[[int, float], None],
) -> list[Floats]:
    """Fit the network; hops are drawn from ``usable`` in proportion to ``importance``."""
    random = np.random.default_rng(seed)
    layers = start(len(offsets) * WIDTH, outputs, random)
    mean, square = [np.zeros_like(layer) for layer in layers], [np.zeros_like(layer) for layer in layers]
    kept = [layer.copy() for layer in layers]  # averaged over the last steps
    total = np.cumsum(importance[usable], dtype=np.float64)
    seen, first = contexts(rows, len(offsets)), int(offsets[0])
    loss_sum = 0.0
    for step in range(1, steps + 1):
        drawn = usable[np.searchsorted(total, random.uniform(0, total[-1], _BATCH)).clip(max=len(usable) - 1)]
        fed = seen[drawn + first]
        _equalize(fed, random)
        loss, slopes = _slopes(layers, fed, classes[drawn], random)
        loss_sum += loss
        pace = 2e-3 * min(1, step / 200) * (0.5 + 0.5 * np.cos(np.pi * step / steps)) + 1e-5
        for layer, m, v, slope in zip(layers, mean, square, slopes, strict=True):
            m += np.float32(0.1) * (slope - m)
            v += np.float32(0.001) * (slope * slope - v)
            layer -= (
                np.float32(pace / (1 - 0.9**step))
                * m
                / (np.sqrt(v * np.float32(1 / (1 - 0.999**step))) + np.float32(1e-8))
            )
            if layer.ndim == 2:
                layer *= np.float32(1 - 0.01 * pace)
        for average, layer in zip(kept, layers, strict=True):
            average += (layer - average) * np.float32(max(0.002, 1 / step))
        if step % 500 == 0:
            report(step, loss_sum / 500)
            loss_sum = 0.0
    return kept


def _equalize(fed: Floats, random: np.random.Generator) -> None:
    gains = random.normal(0, _CURVE, (len(fed), 3)) @ _CURVES + random.normal(0, _BAND, (len(fed), BANDS))
    fed.reshape(len(fed), -1, WIDTH)[:, :, :BANDS] += gains.astype(np.float32)[:, None]


def _slopes(
    layers: list[Floats], fed: Floats, wanted: npt.NDArray[np.int8], random: np.random.Generator
) -> tuple[float, list[Floats]]:
    w1, b1, w2, b2, w3, b3 = layers
    keep1 = (random.random((len(fed), w1.shape[1]), np.float32) > _DROP) * np.float32(1 / (1 - _DROP))
    first = np.maximum(fed @ w1 + b1, 0) * keep1
    second = np.maximum(first @ w2 + b2, 0)
    out = second @ w3 + b3
    out -= out.max(axis=1, keepdims=True)
    share = np.exp(out)
    share /= share.sum(axis=1, keepdims=True)
    each = np.arange(len(fed))
    loss = -float(np.mean(np.log(share[each, wanted] + 1e-9)))
    share[each, wanted] -= 1
    share /= np.float32(len(fed))
    back2 = (share @ w3.T) * (second > 0)
    back1 = (back2 @ w2.T) * (first > 0) * keep1
    return loss, [
        fed.T @ back1, back1.sum(axis=0), first.T @ back2, back2.sum(axis=0), second.T @ share, share.sum(axis=0),
    ]  # fmt: skip
