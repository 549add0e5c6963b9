"""A program over the client that openapi-python-client makes of the document: ``python generated_speaks.py URL``.

It is checked by mypy beside the generated package ``generated``, which is not there otherwise.
"""

from __future__ import annotations

import base64
import io
import sys

from generated import AuthenticatedClient
from generated.api.events import list_segment_events
from generated.api.rooms import open_room
from generated.api.segments import get_segment, interrupt, list_segments, speak
from generated.models import (
    EncodedSoundBody,
    EventPage,
    GetSegmentWait,
    InterruptBody,
    InterruptBodyQueued,
    Interrupted,
    OpenedRoom,
    OpenRoomBody,
    ProblemDetails,
    Segment,
    SegmentPage,
    SpeakFilesBody,
    TextBody,
)
from generated.types import File

SAMPLES, WAV = sys.argv[2:]
client = AuthenticatedClient(sys.argv[1], token="a-key", httpx_args={"trust_env": False})

opened = open_room.sync(client=client, body=OpenRoomBody(room="x"))
assert isinstance(opened, OpenedRoom)
assert opened.room == "x"

text = speak.sync("x", client=client, body=TextBody(text="Hello."), avatar="avatar-x", tag="one")
assert isinstance(text, Segment)

with open(WAV, "rb") as file:
    sound = speak.sync("x", client=client, body=File(io.BytesIO(file.read())), avatar="avatar-x")
assert isinstance(sound, Segment)
assert sound.audio.duration == 1

with open(SAMPLES, "rb") as file:
    raw = file.read()
part = File(io.BytesIO(raw), "tone.pcm", "audio/pcm;rate=16000;channels=1")
samples = speak.sync("x", client=client, body=SpeakFilesBody(file=part), avatar="avatar-x", idempotency_key="samples")
assert isinstance(samples, Segment)
assert samples.audio.duration == 1

body = EncodedSoundBody(audio=base64.b64encode(raw).decode(), type_="audio/pcm;rate=16000;channels=1")
encoded = speak.sync("x", client=client, body=body, avatar="avatar-x")
assert isinstance(encoded, Segment)
assert encoded.audio.duration == 1

listed = list_segments.sync("x", client=client)
assert isinstance(listed, SegmentPage)
assert [one.id for one in listed.segments] == [encoded.id, samples.id, sound.id, text.id]

stopped = interrupt.sync("x", client=client, body=InterruptBody(queued=InterruptBodyQueued.DROP))
assert isinstance(stopped, Interrupted)

ended = get_segment.sync(text.id, client=client, wait=GetSegmentWait.FINISHED, timeout=5)
assert isinstance(ended, Segment)
assert ended.state == "cancelled"

history = list_segment_events.sync(text.id, client=client)
assert isinstance(history, EventPage)
assert [event.type_ for event in history.events] == ["segment.queued", "segment.cancelled"]

refused = get_segment.sync("none", client=client)
assert isinstance(refused, ProblemDetails)
assert (refused.type_, refused.retryable) == ("segment-not-found", False)
