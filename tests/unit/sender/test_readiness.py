from __future__ import annotations

import pytest

from mouthpiece.profiles import AVALUMA, MOUTHPIECE, PROBE_GRACE, STOCK
from mouthpiece_sender.livekit.connection import ClearAnswer
from mouthpiece_sender.livekit.readiness import PROBE_INTERVAL, AvatarReadiness, Listening


def probed(readiness: AvatarReadiness, answer: ClearAnswer, now: float) -> Listening:
    assert readiness.due(now)
    readiness.probing()
    assert not readiness.due(now)
    return readiness.answered(answer, now)


@pytest.mark.parametrize("profile", [MOUTHPIECE, AVALUMA, STOCK])
def test_ok_means_that_it_listens_to_us(profile: object) -> None:
    readiness = AvatarReadiness(profile, 0.0)  # type: ignore[arg-type]
    assert probed(readiness, ClearAnswer.OK, 0.0) is Listening.YES


@pytest.mark.parametrize("profile", [AVALUMA, STOCK])
def test_reject_means_that_it_listens_to_somebody_else(profile: object) -> None:
    readiness = AvatarReadiness(profile, 0.0)  # type: ignore[arg-type]
    assert probed(readiness, ClearAnswer.REJECT, 0.0) is Listening.ELSEWHERE
    readiness.again()
    assert probed(readiness, ClearAnswer.OK, 1.0) is Listening.YES


def test_a_stock_receiver_without_the_method_is_asked_until_it_has_it() -> None:
    readiness = AvatarReadiness(STOCK, 0.0)
    now = 0.0
    for _ in range(100):
        assert probed(readiness, ClearAnswer.UNSUPPORTED, now) is Listening.UNKNOWN
        assert not readiness.due(now)
        now += PROBE_INTERVAL
    assert probed(readiness, ClearAnswer.OK, now) is Listening.YES


def test_avalumas_may_lack_the_method_for_good() -> None:
    readiness = AvatarReadiness(AVALUMA, 0.0)
    assert probed(readiness, ClearAnswer.UNSUPPORTED, 0.0) is Listening.UNKNOWN
    assert probed(readiness, ClearAnswer.NONE, PROBE_GRACE + 1) is Listening.UNKNOWN
    assert probed(readiness, ClearAnswer.UNSUPPORTED, PROBE_GRACE + 2) is Listening.YES
