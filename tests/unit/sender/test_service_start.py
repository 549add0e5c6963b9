"""What the service needs of the machine."""

from __future__ import annotations

import re
import resource
from pathlib import Path

import pytest

from mouthpiece_sender.service import kept_instance, raise_file_limit


def test_a_sender_keeps_its_name(tmp_path: Path) -> None:
    name = kept_instance(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{8}", name)
    assert kept_instance(tmp_path) == name


def test_an_empty_name_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "instance").write_text("\n")
    assert kept_instance(tmp_path)


def test_the_file_limit_is_raised_and_never_lowered(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = [(1024, 4096)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, new: limits.append(new))
    raise_file_limit(2048)
    assert limits[-1] == (2048, 4096)
    raise_file_limit(1_000_000)
    assert limits[-1] == (4096, 4096)
    raise_file_limit(10)
    assert limits[-1] == (4096, 4096)
