"""Imports of the services' libraries, which are extras of this distribution: any of them may be missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from mouthpiece.extras import needs
from mouthpiece.tts.errors import TTSProviderFailed


def sdk_module(name: str, provider: str, extra: str) -> ModuleType:
    """Import the module ``name``, which ``extra`` installs.

    :raises TTSProviderFailed: it cannot be imported.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise TTSProviderFailed(needs(f"The voice {provider}", extra)) from error


def is_of(error: BaseException, package: str) -> bool:
    """Whether the class of ``error``, or a base of it, is from ``package``, which has been imported then."""
    return any(kind.__module__.partition(".")[0] == package for kind in type(error).__mro__)
