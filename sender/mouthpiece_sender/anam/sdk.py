"""The seam to Anam's own SDK (``anam`` 0.12): loading it, what its exceptions mean, and three things that it hides.

It keeps what it cannot send and says nothing; a session that the engine ended is not closed by its ``close``; and a
``connect`` that fails or is cancelled leaves its connections open. For these its private attributes are read, here
and nowhere else; the version is pinned, and tests/loopback/anam holds each of them.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import logging
from typing import Any, Final

from mouthpiece.errors import AvatarError, ConfigurationError
from mouthpiece.extras import needs
from mouthpiece_sender.anam.errors import AnamBusy, AnamRefused, AnamUnavailable
from mouthpiece_sender.anam.settings import AnamSettings

logger = logging.getLogger(__name__)

NOT_INSTALLED: Final = needs("Speaking through Anam", "anam")
CLOSE_TIMEOUT: Final = 5.0
"""Seconds; the SDK's own closing has limits of 2 s for each of two steps."""


def installed() -> bool:
    """Whether it can be loaded. Looks on the disk: call it in a thread."""
    return importlib.util.find_spec("anam") is not None


def load() -> Any:
    """The module ``anam``. Reads files for a second: call it in a thread.

    :raises ConfigurationError: it is not installed.
    """
    try:
        return importlib.import_module("anam")
    except ModuleNotFoundError:
        raise ConfigurationError(NOT_INSTALLED) from None


def client(anam: Any, settings: AnamSettings) -> Any:
    """An ``AnamClient`` for passthrough: with a persona of its own the engine would answer by itself."""
    return anam.AnamClient(
        api_key=settings.api_key,
        persona_config=anam.PersonaConfig(avatar_id=settings.avatar_id, enable_audio_passthrough=True),
        options=anam.ClientOptions(api_base_url=settings.api_url, client_label="mouthpiece"),
    )


def can_send(client: Any) -> bool:
    """Whether what is sent now leaves: the SDK keeps it for a reconnect otherwise."""
    streaming = client._streaming_client
    signalling = None if streaming is None else streaming._signalling_client
    return signalling is not None and bool(signalling._is_ws_open())


async def close(client: Any) -> None:
    """Ends the session at the engine and every connection, however far it had come. Never raises for a bad one."""
    streaming = client._streaming_client
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT):
            await client.close()
            if streaming is not None:
                await streaming.close()
    except TimeoutError:
        logger.warning("Anam's session did not close in %s s", CLOSE_TIMEOUT)
    except Exception as error:
        logger.warning("Anam's session closed badly (%s)", type(error).__name__)


def translate(anam: Any, error: Exception, settings: AnamSettings) -> AvatarError:
    """What an exception of ``connect`` means. Anam's own words may hold anything, so none of them are passed on."""
    if isinstance(error, anam.AnamError):
        status = error.status_code
        if status in (401, 403):
            return AnamRefused("Anam does not accept the key: check ANAM_API_KEY (keys are made at lab.anam.ai).")
        if status == 402:
            return AnamRefused("Anam gives no session: the account of ANAM_API_KEY has no active plan.")
        if status in (400, 404, 422):
            return AnamRefused(f"Anam refused the session ({status}): check ANAM_AVATAR_ID.")
        if status == 429:
            return AnamBusy("Anam gives no session: a limit of the account is reached (sessions at once, or usage).")
        if status is not None and status >= 500:
            return AnamBusy(f"Anam has no session free (it answered {status}); try again later.")
        return AnamRefused("Anam gives no session.")
    stranger = type(error).__name__ == "ContentTypeError"  # aiohttp's, which the SDK brings: no JSON
    if stranger or isinstance(error, KeyError | TypeError | ValueError | AttributeError):
        return AnamUnavailable(f"{settings.api_url} does not answer as Anam does; check ANAM_API_URL.")
    return AnamUnavailable(
        f"Anam cannot be reached at {settings.api_url} ({type(error).__name__}); check the network and ANAM_API_URL."
    )
