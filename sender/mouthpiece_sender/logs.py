"""What lines of the sender's log as JSON may hold, beside what each line has."""

from __future__ import annotations

from typing import Final

FIELDS: Final = ("state", "receipt", "ended_by", "profile", "position", "error")
"""About the end of a segment. None is a room, an identity or a word that was spoken."""
