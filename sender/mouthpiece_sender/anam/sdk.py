"""The adapter to Anam's SDK (``anam`` 0.12): its import, its exceptions, and three gaps of its interface.

It keeps messages that it cannot send without reporting that; its ``close`` does not close a session that the engine
ended; and a ``connect`` that fails or is cancelled leaves its connections open. To bridge these gaps this module alone
reads the SDK's private attributes; the version is pinned, and tests/loopback/anam checks each of them.
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
"""Seconds; the SDK's ``close`` takes at most 2 s for each of two steps."""


def installed() -> bool:
    """Return whether the SDK is installed. Reads the disk: call it in a thread."""
    return importlib.util.find_spec("anam") is not None


def load() -> Any:
    """Import and return the module ``anam``. Takes about a second: call it in a thread.

    :raises ConfigurationError: it is not installed.
    """
    try:
        return importlib.import_module("anam")
    except ModuleNotFoundError:
        raise ConfigurationError(NOT_INSTALLED) from None


def client(anam: Any, settings: AnamSettings) -> Any:
    """Return an ``AnamClient`` for passthrough. Without passthrough the engine's persona would answer by itself."""
    return anam.AnamClient(
        api_key=settings.api_key,
        persona_config=anam.PersonaConfig(avatar_id=settings.avatar_id, enable_audio_passthrough=True),
        options=anam.ClientOptions(api_base_url=settings.api_url, client_label="mouthpiece"),
    )


def can_send(client: Any) -> bool:
    """Return whether a message would be sent now; otherwise the SDK keeps it for a reconnect."""
    streaming = client._streaming_client
    signalling = None if streaming is None else streaming._signalling_client
    return signalling is not None and bool(signalling._is_ws_open())


async def close(client: Any) -> None:
    """End the session at the engine and every connection, at any stage of ``connect``. Logs errors, and raises none."""
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
    """Return our error for an exception of ``connect``. Anam's message could hold anything, and is left out."""
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
    not_json = type(error).__name__ == "ContentTypeError"  # aiohttp's, a dependency of the SDK alone
    if not_json or isinstance(error, KeyError | TypeError | ValueError | AttributeError):
        return AnamUnavailable(f"{settings.api_url} does not answer as Anam does; check ANAM_API_URL.")
    return AnamUnavailable(
        f"Anam cannot be reached at {settings.api_url} ({type(error).__name__}); check the network and ANAM_API_URL."
    )
