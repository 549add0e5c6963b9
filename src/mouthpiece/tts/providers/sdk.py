"""The libraries of the services, which are extras of this distribution: any of them may be missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from mouthpiece.extras import needs
from mouthpiece.tts.errors import TTSProviderFailed


def sdk_module(name: str, provider: str, extra: str) -> ModuleType:
    """:raises TTSProviderFailed: it cannot be imported."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise TTSProviderFailed(needs(f"The voice {provider}", extra)) from error


def is_of(error: BaseException, package: str) -> bool:
    """``error`` is of one of the package's own types, or made from one: the package has been imported then."""
    return any(kind.__module__.partition(".")[0] == package for kind in type(error).__mro__)
