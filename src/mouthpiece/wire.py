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
RPC_STATUS: Final = "mouthpiece.status"
"""Sender → our avatar, empty payload; answers JSON of :class:`Status` about the caller's own streams, by its identity,
also after the caller was away or restarted. It changes nothing."""
RPC_LEAVE: Final = "mouthpiece.leave"
"""Sender → our avatar, empty payload: leave in peace, the room is about to be deleted. Answers ``CLEAR_OK``."""
RPC_FLOODED: Final = "mouthpiece.flooded"
"""Our avatar → sender, JSON of :class:`Flooded`: that participant, which is no agent, sends so much data that the sound
for the avatar comes late. The sender can take its right to; the answer says only that the call has come."""
STATUS_ENDED: Final = 32
"""Ends that an avatar remembers of each sender."""

CLEAR_OK: Final = "ok"
CLEAR_REJECT: Final = "reject"

ATTR_SAMPLE_RATE: Final = "sample_rate"
ATTR_NUM_CHANNELS: Final = "num_channels"
ATTR_SEGMENT: Final = "mouthpiece.segment"
"""Stream attribute: the id that the receipts for this stream carry back."""
ATTR_ATTEMPT: Final = "mouthpiece.attempt"
"""Stream attribute: the number of the attempt, a decimal number; ``mouthpiece.status`` carries it back."""
ATTR_AVATAR: Final = "mouthpiece.avatar"
"""Participant attribute of our avatar: JSON of :class:`AvatarInfo`; present once it listens."""
ATTR_AGENT: Final = "mouthpiece.agent"
"""On a viewer whose token dispatches an agent, JSON of :class:`mouthpiece.dispatch.WantedAgent`."""
ATTR_LEAVING: Final = "mouthpiece.leaving"
"""Participant attribute of our avatar, ``"true"`` while it leaves because its room is about to close: it is not to be
started again at once."""
ATTR_PUBLISH_ON_BEHALF: Final = "lk.publish_on_behalf"

AVATAR_IDENTITY_PREFIX: Final = "avatar-"
AGENT_IDENTITY_PREFIX: Final = "agent-"
SENDER_IDENTITY_PREFIX: Final = "external-audio-sender"
SENDER_NAME: Final = "External Audio Sender"
RESERVED_IDENTITY_PREFIXES: Final = (AVATAR_IDENTITY_PREFIX, AGENT_IDENTITY_PREFIX, SENDER_IDENTITY_PREFIX)

START_AVATAR_PATH: Final = "/v1/livekit/start-avatar"
STOP_AVATAR_PATH: Final = "/v1/livekit/stop-avatar"
"""Avaluma's, by an older specification: the body is ``{"session_id"}``."""
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
    attempt: int | None = None

    def attributes(self) -> dict[str, str]:
        """As stream attributes: strings, as the stock receiver parses them."""
        attributes = {
            ATTR_SAMPLE_RATE: str(self.sample_rate),
            ATTR_NUM_CHANNELS: str(self.num_channels),
        }
        if self.segment is not None:
            attributes[ATTR_SEGMENT] = self.segment
        if self.attempt is not None:
            attributes[ATTR_ATTEMPT] = str(self.attempt)
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
        attempt = attributes.get(ATTR_ATTEMPT, "")
        number = int(attempt) if attempt.isascii() and attempt.isdigit() else None
        return cls(numbers[0], numbers[1], attributes.get(ATTR_SEGMENT), number)


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
    """Payload of ``mouthpiece.playback``: what happened to the segment that the stream named.

    A sender also has the receipts of LiveKit's own two methods in this form, which name no segment.
    """

    segment: str | None
    event: str
    """``started`` or ``finished``."""
    position: float
    """Seconds of this stream that have been heard."""
    interrupted: bool
    attempt: int | None = None
    """The number that the stream carried."""

    def dumps(self) -> str:
        values = asdict(self)
        if self.attempt is None:
            del values["attempt"]
        return json.dumps(values)

    @classmethod
    def loads(cls, payload: str) -> PlaybackReceipt:
        """:raises ValueError: not such an object."""
        value = _json_object(payload)
        segment, event = value.get("segment"), value.get("event")
        if not isinstance(segment, str) or event not in ("started", "finished"):
            raise ValueError("a playback receipt needs a segment and the event started or finished")
        interrupted = value.get("interrupted") is True
        return cls(segment, event, _number(value, "position"), interrupted, _attempt_of(value))

    @classmethod
    def loads_started(cls, _payload: str) -> PlaybackReceipt:
        """The receipt that a call of ``RPC_PLAYBACK_STARTED`` is; its payload is empty, or of no interest."""
        return cls(None, "started", 0.0, False)

    @classmethod
    def loads_finished(cls, payload: str) -> PlaybackReceipt:
        """The receipt that a call of ``RPC_PLAYBACK_FINISHED`` is.

        :raises ValueError: not such an object.
        """
        finished = PlaybackFinished.loads(payload)
        return cls(None, "finished", finished.playback_position, finished.interrupted)


@dataclass(frozen=True, slots=True)
class StatusPlaying:
    segment: str
    position: float
    """Seconds of the stream that have been heard."""
    attempt: int | None = None


@dataclass(frozen=True, slots=True)
class StatusEnded:
    segment: str
    position: float
    """Seconds of the stream that were heard."""
    interrupted: bool
    receipt: str = "confirmed"
    """What the end is known by, one of :class:`mouthpiece.segments.Receipt`."""
    attempt: int | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """Answer to ``mouthpiece.status``: where the caller's streams are."""

    playing: StatusPlaying | None = None
    held: tuple[str, ...] = ()
    """Segments that wait at the avatar, in order."""
    ended: tuple[StatusEnded, ...] = ()
    """The last ``STATUS_ENDED``, oldest first."""

    def dumps(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, payload: str) -> Status:
        """:raises ValueError: not such an object."""
        value = _json_object(payload)
        playing, held, ended = value.get("playing"), value.get("held"), value.get("ended")
        if not isinstance(held, list) or not isinstance(ended, list) or not all(isinstance(one, str) for one in held):
            raise ValueError("a status needs held, a list of segments, and ended, a list of objects")
        return cls(
            None if playing is None else StatusPlaying(*_position_of(playing), _attempt_of(playing)),
            tuple(held),
            tuple(
                StatusEnded(
                    *_position_of(one),
                    one.get("interrupted") is True,
                    str(one.get("receipt", "confirmed")),
                    _attempt_of(one),
                )
                for one in ended
            ),
        )


@dataclass(frozen=True, slots=True)
class Flooded:
    """Payload of ``mouthpiece.flooded``."""

    identity: str
    """Of the participant that sends too much."""

    def dumps(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, payload: str) -> Flooded:
        """:raises ValueError: not an object with an identity."""
        identity = _json_object(payload).get("identity")
        if not isinstance(identity, str):
            raise ValueError("a flood needs an identity")
        return cls(identity)


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


def _position_of(value: object) -> tuple[str, float]:
    if not isinstance(value, dict) or not isinstance(value.get("segment"), str):
        raise ValueError("an entry of a status needs a segment")
    return value["segment"], _number(value, "position")


def _attempt_of(value: Mapping[str, Any]) -> int | None:
    attempt = value.get("attempt")
    return attempt if isinstance(attempt, int) and not isinstance(attempt, bool) else None


def _number(value: Mapping[str, Any], name: str) -> float:
    number = value.get(name)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ValueError(f"{name!r} must be a number")
    return float(number)
