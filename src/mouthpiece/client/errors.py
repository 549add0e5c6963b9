"""What a call can end with instead of an answer."""

from __future__ import annotations


class ClientError(Exception):
    """Base of the client's errors.

    ``retryable``: the same call may succeed later. ``retry_after``: seconds after which, where the service says so.
    """

    retryable: bool = False
    retry_after: float | None = None


class ServiceUnavailable(ClientError):
    """The service could not be reached, or its answer was lost, for as long as it was tried."""

    retryable = True


class UnexpectedAnswer(ClientError):
    """The answer is not one of a Mouthpiece service: the address is another's, or a proxy answered.

    :param status: 502, 503 and 504 are retryable: a proxy answers so while the service behind it is away.
    """

    def __init__(self, status: int) -> None:
        super().__init__(f"It answered {status}, and not as a Mouthpiece service does.")
        self.status = status
        self.retryable = status in (502, 503, 504)


class ServiceProblem(ClientError):
    """The service refused: an error after RFC 9457.

    :param slug: its stable ``type``.
    :param field: the parameter, header or key at fault.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        field: str | None = None,
        *,
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{status} {slug}: {detail}")
        self.status = status
        self.slug = slug
        self.detail = detail
        self.field = field
        self.retryable = retryable
        self.retry_after = retry_after
