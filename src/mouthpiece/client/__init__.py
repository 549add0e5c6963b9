"""A client of the service's HTTP API (docs/api.md): ``pip install 'mouthpiece-livekit[client]'``, without livekit.

::

    with Client("http://127.0.0.1:8090") as mouthpiece:
        segment = mouthpiece.say("demo", "Hello.")
        print(mouthpiece.wait(segment["id"])["state"])

``AsyncClient`` has the same methods as coroutines. A call that fails for a reason that passes (the service is away, or
its answer is ``retryable``) is sent again for ``retry_for`` seconds; what is said carries an idempotency key of its
own, so it is said once.
"""

from mouthpiece.client.async_client import AsyncClient
from mouthpiece.client.calls import SegmentOptions
from mouthpiece.client.errors import ClientError, ServiceProblem, ServiceUnavailable, UnexpectedAnswer
from mouthpiece.client.sync_client import Client
from mouthpiece.client.values import Event, Segment, verify_webhook
from mouthpiece.webhook_signature import WrongSignature

__all__ = [
    "AsyncClient",
    "Client",
    "ClientError",
    "Event",
    "Segment",
    "SegmentOptions",
    "ServiceProblem",
    "ServiceUnavailable",
    "UnexpectedAnswer",
    "WrongSignature",
    "verify_webhook",
]
