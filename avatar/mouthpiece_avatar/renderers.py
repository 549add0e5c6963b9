"""Chooses the renderers, by ``MOUTHPIECE_AVATAR_RUNTIME``."""

from __future__ import annotations

from mouthpiece_avatar.face.faces import Look, read_size
from mouthpiece_avatar.face.registry import FaceRegistry
from mouthpiece_avatar.renderer import Renderers
from mouthpiece_avatar.runtimes.bithuman import BithumanRenderers
from mouthpiece_avatar.settings import RuntimeName, Settings


def choose_renderers(settings: Settings) -> Renderers:
    """:raises ConfigurationError: something that the chosen runtime needs is missing; it is named."""
    if settings.runtime is RuntimeName.BITHUMAN:
        secret = settings.bithuman_secret.get_secret_value() if settings.bithuman_secret else None
        return BithumanRenderers(settings.bithuman_model, secret)
    return FaceRegistry(settings.face, Look(read_size(settings.size), settings.background))
