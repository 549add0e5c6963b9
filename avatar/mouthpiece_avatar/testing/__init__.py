"""A receiver that does what its script says, to test senders with: a conformance avatar (docs/conformance.md).

``ScriptedReceiver`` needs the extra ``testing``; the faults by themselves do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mouthpiece_avatar.testing.fault import Fault
    from mouthpiece_avatar.testing.named import parse
    from mouthpiece_avatar.testing.receiver import Credentials, Presented, ScriptedReceiver

__all__ = ["Credentials", "Fault", "Presented", "ScriptedReceiver", "parse"]


def __getattr__(name: str) -> Any:
    """Import a name on first use (PEP 562): the avatar server has the faults, and not what the receiver needs."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "Fault":
        from mouthpiece_avatar.testing.fault import Fault

        return Fault
    if name == "parse":
        from mouthpiece_avatar.testing.named import parse

        return parse
    from mouthpiece_avatar.testing import receiver

    return getattr(receiver, name)
