"""What the sender says of the conformance avatar's faults (docs/conformance.md) after it has listened to an avatar of
Avaluma's, through the fixture that others use. ``test_faults.py`` has each fault of a stock one beside a recording."""

from __future__ import annotations

import pytest

from mouthpiece.segments import Receipt, State
from mouthpiece_avatar.testing import Credentials
from mouthpiece_avatar.testing.pytest_plugin import StartScripted, scripted_receiver
from mouthpiece_sender.demo.livekit_server import LiveKit
from mouthpiece_sender.livekit.server_api import LiveKitAccess
from tests.live.sender.conftest import running_gateway
from tests.live.sender.test_listening import said

__all__ = ["scripted_receiver"]  # a fixture

pytestmark = pytest.mark.timed


BROKEN = (State.FINISHED, Receipt.ESTIMATED)
SHORT = (State.INTERRUPTED, Receipt.ESTIMATED)
"""As the avatar reports it."""


@pytest.fixture(scope="session")
def livekit_credentials(livekit: LiveKit) -> Credentials:
    return Credentials(livekit.url, livekit.api_key, livekit.api_secret)


@pytest.mark.parametrize(
    ("fault", "state", "receipt"),
    [
        ("receipt-short", State.FINISHED, Receipt.HEARD),
        ("other-speech", State.FINISHED, Receipt.ESTIMATED),
        ("silent+noise", State.UNKNOWN, Receipt.UNKNOWN),
        ("stalls", State.INTERRUPTED, Receipt.HEARD),
    ],
)
async def test_what_is_said_of_a_fault_is_what_its_track_proves(
    scripted_receiver: StartScripted,
    access: LiveKitAccess,
    room_name: str,
    fault: str,
    state: State,
    receipt: Receipt,
) -> None:
    async with scripted_receiver(room_name, fault, presented="avaluma"), running_gateway(access) as gateway:
        ended = await gateway.wait(await said(gateway, room_name, 3.0), "finished", 30)
    found = (ended.state, ended.receipt)
    # On a busy machine what comes back may have a hole, and then proves nothing.
    broken = SHORT if fault == "receipt-short" else BROKEN
    assert found == (state, receipt) or (receipt is Receipt.HEARD and found == broken)
    if state is State.UNKNOWN:
        assert ended.error is not None
        assert ended.error.type == "avatar-unheard"
    if ended.state is State.INTERRUPTED:
        # of a beginning that was missed at our end nothing is claimed
        low, high = (1.2, 1.8) if found == SHORT else (0.4, 1.3)
        assert low <= ended.position <= high
