"""Requests to URLs that a caller gave: they reach public addresses, and nothing of the operator's network.

``addresses`` and ``urls`` decide, without I/O; ``transport`` resolves a name once, checks every address and connects to
an address that was checked; ``download`` reads a body with its limits.
"""

from mouthpiece.net_guard.download import Download, download
from mouthpiece.net_guard.transport import GuardedTransport, guarded_client
from mouthpiece.net_guard.urls import AllowedHost, check_url

__all__ = ["AllowedHost", "Download", "GuardedTransport", "check_url", "download", "guarded_client"]
