"""The picture after an interrupt has its mouth shut, whatever was said at that moment."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from mouthpiece.wire import StreamHeader
from mouthpiece_avatar.face.renderer import FaceRenderer
from mouthpiece_avatar.lips.mouth import AT_REST, Mouth, MouthTrack, Shape
from mouthpiece_avatar.playout import Capture, Cut, PlayoutQueue, Wait
from mouthpiece_avatar.publisher import PICTURE_DELAY
from tests.unit.avatar.plain_face import plain_face

SPEECH = Path(__file__).parent / "speech" / "bob_and_pam_slt.flac"
FACE = plain_face()
PERIOD = 0.04


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Mouth]:
    """The mouths of all pictures."""
    mouths: list[Mouth] = []
    real = MouthTrack.mouth

    def kept(track: MouthTrack, at: float) -> Mouth:
        mouths.append(real(track, at))
        return mouths[-1]

    monkeypatch.setattr(MouthTrack, "mouth", kept)
    return mouths


def perform(playout: PlayoutQueue, renderer: FaceRenderer, now: float) -> None:
    """As the publisher does."""
    while True:
        match playout.act(now):
            case Capture(samples, speech):
                renderer.audio_queued(playout.next_index - len(samples), samples, speech=speech)
            case Cut(keep):
                renderer.audio_cut(playout.next_index - len(keep))
            case Wait():
                return


@pytest.mark.parametrize("pictures", range(8, 44, 4))
def test_the_next_picture_is_at_rest(shown: list[Mouth], pictures: int) -> None:
    """:param pictures: that are shown before the interrupt, which comes just before the next one."""
    samples, rate = soundfile.read(SPEECH, dtype="int16")
    playout, renderer = PlayoutQueue(), FaceRenderer(FACE)
    stream = playout.open("sender", StreamHeader(rate, 1))
    playout.push(stream, samples.tobytes())
    now = 100.0
    for picture in range(4 * pictures):
        now = 100 + picture * PERIOD / 4
        perform(playout, renderer, now)
        if picture % 4 == 0:
            renderer.frame(playout.leaving(now - PICTURE_DELAY))
    assert any(mouth.shape is not Shape.REST for mouth in shown[-5:]), "nothing is said before the interrupt"
    playout.clear("sender")
    for _ in range(5):
        now += PERIOD / 4
        perform(playout, renderer, now)
        renderer.frame(playout.leaving(now - PICTURE_DELAY))
        now += 3 * PERIOD / 4
        assert shown[-1].jaw == pytest.approx(AT_REST.jaw, abs=0.02)
        assert shown[-1].shape is Shape.REST
