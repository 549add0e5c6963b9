"""The instance name that a service stores in its data folder."""

from __future__ import annotations

import re
from pathlib import Path

from mouthpiece_sender.service import stored_instance


def test_a_sender_keeps_its_name(tmp_path: Path) -> None:
    name = stored_instance(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{8}", name)
    assert stored_instance(tmp_path) == name


def test_an_empty_name_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "instance").write_text("\n")
    assert stored_instance(tmp_path)
