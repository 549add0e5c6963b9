"""Measures the lip sync in a browser: when a voice begins, and when the mouth moves."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import soundfile
from playwright.async_api import Page

BURSTS = 12
LOUD, QUIET = 0.5, 0.7
"""Seconds of each burst and of the silence after it, which is long enough for the mouth to close."""

WATCH = """() => {
    // without a GPU drawing the page takes more than the video does, and delays what is measured
    const style = new CSSStyleSheet();
    style.replaceSync("body { visibility: hidden } * { animation: none !important; transition: none !important; "
        + "filter: none !important; backdrop-filter: none !important }");
    document.adoptedStyleSheets = [style];
    const track = document.querySelector("#video").srcObject.getVideoTracks()[0];
    const pictures = new MediaStreamTrackProcessor({track}).readable.getReader();
    const canvas = new OffscreenCanvas(16, 10);
    const context2d = canvas.getContext("2d", {willReadFrequently: true});
    const seen = [], heard = [];
    const see = ({value: picture, done}) => {
        if (done) return;
        const now = performance.now();
        // the middle of the lower half: mouth and chin of a portrait
        const {displayWidth: width, displayHeight: height} = picture;
        context2d.drawImage(picture, width * 0.38, height * 0.48, width * 0.24, height * 0.2, 0, 0, 16, 10);
        picture.close();
        const pixels = context2d.getImageData(0, 0, 16, 10).data;
        const luma = [];
        for (let at = 0; at < pixels.length; at += 4) luma.push(pixels[at] + pixels[at + 1] + pixels[at + 2]);
        seen.push([now, luma]);
        pictures.read().then(see);
    };
    pictures.read().then(see);
    const context = new AudioContext({latencyHint: "interactive"});
    const analyser = new AnalyserNode(context, {fftSize: 256});
    context.createMediaStreamSource(document.querySelector("audio").srcObject).connect(analyser);
    const samples = new Float32Array(256);
    setInterval(() => {
        analyser.getFloatTimeDomainData(samples);
        heard.push([performance.now(), Math.max(...samples.map(Math.abs))]);
    }, 4);
    window.watched = () => ({seen: seen.splice(0), heard: heard.splice(0)});
}"""


def bursts() -> bytes:
    """A WAV file of vowel-like bursts between silences."""
    rate = 16_000
    time = np.arange(int(LOUD * rate)) / rate
    voice = sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 12)) * 0.25
    fade = np.minimum(1, np.minimum(time, LOUD - time) / 0.005)
    one = np.concatenate([voice * fade, np.zeros(int(QUIET * rate))])
    file = io.BytesIO()
    soundfile.write(file, np.concatenate([np.zeros(rate), np.tile(one, BURSTS)]), rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


async def watch(page: Page) -> None:
    """Start to record pictures and sound; the avatar must be in the room."""
    await page.evaluate(WATCH)


async def differences(page: Page) -> list[float]:
    """For each burst played since the last call: milliseconds from the start of the voice to the mouth's movement.

    Both by the page's clock, and before the browser's own delays: the picture when the browser hands it to the video
    element, the sound when it reaches the audio graph. What is painted would depend on how busy the machine is.
    """
    watched: dict[str, Any] = await page.evaluate("window.watched()")
    heard = np.array(watched["heard"])
    times = np.array([time for time, _ in watched["seen"]])
    pictures = np.array([luma for _, luma in watched["seen"]], dtype=float)
    loud = heard[heard[:, 1] > 0.02][:, 0]
    onsets = loud[1:][np.diff(loud) > 1000 * QUIET / 2]
    found = []
    for onset in onsets:
        before = pictures[(times > onset - 350) & (times < onset - 120)]
        around = (times > onset - 120) & (times < onset + 300)
        if len(before) < 3 or not around.any():
            continue  # too few pictures arrived around it
        still = before.mean(axis=0)
        noise = np.abs(before - still).mean(axis=1).max()
        moved = np.abs(pictures[around] - still).mean(axis=1)
        first = np.argmax(moved > noise + 0.15 * (moved.max() - noise))
        found.append(float(times[around][first] - onset))
    return found
