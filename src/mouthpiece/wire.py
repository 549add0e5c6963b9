"""The wire between a sender, an avatar and an avatar server: constants and value types, no behaviour.

Sources: Avaluma, "External audio" (the byte stream and its attributes); livekit-agents 1.8.9,
``livekit/agents/voice/avatar/_datastream_io.py`` (RPC names and payloads), compared with the installed
wheel by ``tests/unit/test_wire_contract.py``; Avaluma's LiveKit plugin (start-avatar). What is ours begins with
``mouthpiece.``.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

AUDIO_STREAM_TOPIC: Final = "lk.audio_stream"
"""Byte stream topic; one stream is one segment, closing it ends the segment."""
SESSION_TOPIC: Final = "lk.agent.session"
"""Byte streams that an AgentSession publishes; a participant without a handler logs each one."""
STREAM_NAME_PREFIX: Final = "AUDIO_"
CAPTION_TOPIC: Final = "lk.transcription"
"""Text stream topic: the words that are being said, in the name of their speaker (livekit-agents 1.8.9,
``livekit/agents/types.py``)."""
ATTR_CAPTION: Final = "lk.segment_id"
"""Attribute of such a stream: a later one with the same value replaces it."""
ATTR_CAPTION_FINAL: Final = "lk.transcription_final"
"""``"true"`` or ``"false"``: whether a later one may replace it."""
ATTR_CAPTION_TRACK: Final = "lk.transcribed_track_id"
ATTR_CAPTION_PHASE: Final = "mouthpiece.caption"
"""Attribute of a caption of ours, one of :class:`CaptionPhase`."""

RPC_CLEAR_BUFFER: Final = "lk.clear_buffer"
"""Sender → avatar, empty payload. Answers ``CLEAR_OK`` or ``CLEAR_REJECT`` as a payload, not as an error."""
RPC_PLAYBACK_STARTED: Final = "lk.playback_started"
"""Avatar → sender, empty payload."""
RPC_PLAYBACK_FINISHED: Final = "lk.playback_finished"
"""Avatar → sender, JSON of :class:`PlaybackFinished`."""
RPC_USER_STATE: Final = "user_state_changed"
"""Worker → avatar (Avaluma's plugin)."""
RPC_AGENT_STATE: Final = "agent_state_changed"
"""Worker → avatar (Avaluma's plugin)."""
RPC_PLAYBACK: Final = "mouthpiece.playback"
"""Our avatar → sender, JSON of :class:`PlaybackReceipt`; only for a stream that carried ``ATTR_SEGMENT``."""

CLEAR_OK: Final = "ok"
CLEAR_REJECT: Final = "reject"

ATTR_SAMPLE_RATE: Final = "sample_rate"
ATTR_NUM_CHANNELS: Final = "num_channels"
ATTR_SEGMENT: Final = "mouthpiece.segment"
"""Stream attribute: the id that the receipts for this stream carry back."""
ATTR_AVATAR: Final = "mouthpiece.avatar"
"""Participant attribute of our avatar: JSON of :class:`AvatarInfo`; present once it listens."""
ATTR_PUBLISH_ON_BEHALF: Final = "lk.publish_on_behalf"

AVATAR_IDENTITY_PREFIX: Final = "avatar-"
AGENT_IDENTITY_PREFIX: Final = "agent-"
SENDER_IDENTITY_PREFIX: Final = "external-audio-sender"
SENDER_NAME: Final = "External Audio Sender"
RESERVED_IDENTITY_PREFIXES: Final = (AVATAR_IDENTITY_PREFIX, AGENT_IDENTITY_PREFIX, SENDER_IDENTITY_PREFIX)

START_AVATAR_PATH: Final = "/v1/livekit/start-avatar"
API_SECRET_HEADER: Final = "api-secret"


def avatar_identity(avatar_id: str) -> str:
    """The identity (and name) that an avatar joins under."""
    return AVATAR_IDENTITY_PREFIX + avatar_id


class CaptionPhase(enum.StrEnum):
    """What a caption says of its sentence."""

    PLAYING = "playing"
    """It is being spoken; another caption with the same id follows."""
    SAID = "said"
    CUT = "cut"
    """It was not said to its end."""


@dataclass(frozen=True, slots=True)
class StreamHeader:
    """What the attributes of one audio byte stream say. The payload is s16le, interleaved."""

    sample_rate: int
    """Hertz."""
    num_channels: int
    segment: str | None = None

    def attributes(self) -> dict[str, str]:
        """As stream attributes: strings, as the stock receiver parses them."""
        attributes = {
            ATTR_SAMPLE_RATE: str(self.sample_rate),
            ATTR_NUM_CHANNELS: str(self.num_channels),
        }
        if self.segment is not None:
            attributes[ATTR_SEGMENT] = self.segment
        return attributes

    @classmethod
    def parse(cls, attributes: Mapping[str, str] | None) -> StreamHeader:
        """:raises ValueError: an attribute is missing or not a positive whole number."""
        attributes = attributes or {}
        numbers = []
        for name in (ATTR_SAMPLE_RATE, ATTR_NUM_CHANNELS):
            text = attributes.get(name, "")
            if not (text.isascii() and text.isdigit()) or int(text) == 0:
                raise ValueError(f"stream attribute {name!r} must be a positive whole number, not {text!r}")
            numbers.append(int(text))
        return cls(numbers[0], numbers[1], attributes.get(ATTR_SEGMENT))


@dataclass(frozen=True, slots=True)
class PlaybackFinished:
    """Payload of ``lk.playback_finished``. Extra keys would break stock senders: none may be added."""

    playback_position: float
    """Seconds of the segment that were played."""
    interrupted: bool

    def dumps(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, payload: str) -> PlaybackFinished:
        """:raises ValueError: not an object with a position and the interrupted flag."""
        value = _json_object(payload)
        return cls(_number(value, "playback_position"), value.get("interrupted") is True)


@dataclass(frozen=True, slots=True)
class PlaybackReceipt:
    """Payload of ``mouthpiece.playback``: what happened to the segment that the stream named."""

    segment: str
    event: str
    """``started`` or ``finished``."""
    position: float
    """Seconds of this stream that have left the avatar's audio source."""
    interrupted: bool

    def dumps(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, payload: str) -> PlaybackReceipt:
        """:raises ValueError: not such an object."""
        value = _json_object(payload)
        segment, event = value.get("segment"), value.get("event")
        if not isinstance(segment, str) or event not in ("started", "finished"):
            raise ValueError("a playback receipt needs a segment and the event started or finished")
        return cls(segment, event, _number(value, "position"), value.get("interrupted") is True)


@dataclass(frozen=True, slots=True)
class AvatarInfo:
    """Value of the participant attribute ``mouthpiece.avatar``."""

    version: int = 1
    """Of this protocol; receivers ignore keys that they do not know."""
    avatar: str = ""
    """The avatar's id (its identity is ``avatar-<id>``)."""
    session: str = ""
    """The avatar server's session id; another session is another avatar."""

    def dumps(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, payload: str) -> AvatarInfo:
        """:raises ValueError: not such an object."""
        value = _json_object(payload)
        version = value.get("version")
        if not isinstance(version, int):
            raise ValueError("mouthpiece.avatar needs a version")
        return cls(version, str(value.get("avatar", "")), str(value.get("session", "")))


@dataclass(frozen=True, slots=True)
class StartAvatar:
    """Body of ``POST /v1/livekit/start-avatar``; the same key goes into the ``api-secret`` header."""

    livekit_url: str
    livekit_token: str
    avaluma_key: str
    avaluma_avatar_id: str


def _json_object(payload: str) -> dict[str, Any]:
    value = json.loads(payload)
    if not isinstance(value, dict):
        raise ValueError("a JSON object was expected")
    return value


def _number(value: Mapping[str, Any], name: str) -> float:
    number = value.get(name)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ValueError(f"{name!r} must be a number")
    return float(number)
