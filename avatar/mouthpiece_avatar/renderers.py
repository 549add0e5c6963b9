"""Chooses the renderers, by ``MOUTHPIECE_AVATAR_RUNTIME``."""

from __future__ import annotations

from mouthpiece.errors import ConfigurationError
from mouthpiece_avatar.face.backdrop import check_background
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
    return FaceRegistry(settings.face, _look(settings))


def _look(settings: Settings) -> Look:
    try:
        screen = read_size(settings.size)
    except ConfigurationError as error:
        raise ConfigurationError(f"MOUTHPIECE_AVATAR_SIZE: {error}") from None
    try:
        check_background(settings.background)
    except ConfigurationError as error:
        raise ConfigurationError(f"MOUTHPIECE_AVATAR_BACKGROUND: {error}") from None
    return Look(screen, settings.background)
