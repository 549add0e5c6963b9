"""What a call can end with instead of an answer."""

from __future__ import annotations


class ClientError(Exception):
    """Base of the client's errors."""


class ServiceUnavailable(ClientError):
    """The service could not be reached, or its answer was lost, for as long as it was tried."""


class ServiceProblem(ClientError):
    """The service refused: an error after RFC 9457.

    :param slug: its stable ``type``.
    :param field: the parameter, header or key at fault.
    """

    def __init__(self, status: int, slug: str, detail: str, field: str | None = None) -> None:
        super().__init__(f"{status} {slug}: {detail}")
        self.status = status
        self.slug = slug
        self.detail = detail
        self.field = field
