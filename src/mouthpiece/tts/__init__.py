"""Text to speech: the base class, its events, and the providers.

``create`` makes a TTS by its provider's name; ``load`` does the slow part of that, in any thread; ``available`` lists
the providers and what each lacks on this machine. ``TTS`` is the base class of your own (see ``mouthpiece.tts.base``).
"""

from mouthpiece.tts.audio_format import AudioFormat
from mouthpiece.tts.base import TTS
from mouthpiece.tts.errors import (
    TTSAuthError,
    TTSBadText,
    TTSBadVoice,
    TTSClosed,
    TTSError,
    TTSNoSound,
    TTSProviderFailed,
    TTSQuotaExceeded,
    TTSRateLimited,
    TTSRefused,
    TTSStreamCut,
    TTSTimeout,
    TTSUnavailable,
)
from mouthpiece.tts.event_manager import EventManager
from mouthpiece.tts.events import (
    TTSAudioEvent,
    TTSErrorEvent,
    TTSEvent,
    TTSSynthesisCompleteEvent,
    TTSSynthesisStartEvent,
)
from mouthpiece.tts.pcm_data import PcmData
from mouthpiece.tts.registry import Provider, available, create, load
from mouthpiece.tts.sentences import SentenceSplitter, split
from mouthpiece.tts.speech import SpokenChunk
from mouthpiece.tts.synthesis import Synthesis, SynthesisMetrics, SynthesisState
from mouthpiece.tts.text import check_text
from mouthpiece.tts.voice import Voice

__all__ = [
    "TTS",
    "AudioFormat",
    "EventManager",
    "PcmData",
    "Provider",
    "SentenceSplitter",
    "SpokenChunk",
    "Synthesis",
    "SynthesisMetrics",
    "SynthesisState",
    "TTSAudioEvent",
    "TTSAuthError",
    "TTSBadText",
    "TTSBadVoice",
    "TTSClosed",
    "TTSError",
    "TTSErrorEvent",
    "TTSEvent",
    "TTSNoSound",
    "TTSProviderFailed",
    "TTSQuotaExceeded",
    "TTSRateLimited",
    "TTSRefused",
    "TTSStreamCut",
    "TTSSynthesisCompleteEvent",
    "TTSSynthesisStartEvent",
    "TTSTimeout",
    "TTSUnavailable",
    "Voice",
    "available",
    "check_text",
    "create",
    "load",
    "split",
]
