"""Faults by name, and what the avatar server offers of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mouthpiece.errors import ConfigurationError
from mouthpiece_avatar.testing.combined import FirstStreams, Together
from mouthpiece_avatar.testing.named import KINDS, parse
from mouthpiece_avatar.testing.receipt_faults import ReceiptLate, ReceiptOtherSegment
from mouthpiece_avatar.testing.receiver_faults import DeafAfter
from mouthpiece_avatar.testing.scripted import Scripted
from mouthpiece_avatar.testing.server_faults import conducts, listed
from mouthpiece_avatar.testing.track_faults import Noise


@pytest.mark.parametrize("name", KINDS)
def test_each_name_makes_its_fault(name: str) -> None:
    assert parse(name) == KINDS[name].make()


def test_a_value_has_the_type_of_its_fault() -> None:
    assert parse("receipt-late:1.5") == ReceiptLate(1.5)
    assert parse("deaf-after:3") == DeafAfter(3)
    assert parse("receipt-other-segment:seg_9") == ReceiptOtherSegment("seg_9")
    assert parse("noise:-50") == Noise(-50.0)


def test_several_stand_with_a_plus_between_them_and_one_may_be_limited() -> None:
    fault = parse("receipt-late:2@1 + noise")
    assert isinstance(fault, Together)
    limited, noise = fault.faults
    assert isinstance(limited, FirstStreams)
    assert (limited.fault, limited.streams) == (ReceiptLate(2.0), 1)
    assert noise == Noise()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("late", "no fault 'late': one of receipt-missing, "),
        ("receipt-late:soon", "receipt-late takes a number, not 'soon'"),
        ("silent:1", "silent takes no value"),
        ("silent@x", "after @ comes a number of streams"),
        ("", "no fault ''"),
    ],
)
def test_what_is_no_fault_is_refused_with_what_would_do(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(text)


def test_the_server_has_a_conduct_of_its_own_for_each_session() -> None:
    make = conducts("silent")
    first, second = make(), make()
    assert isinstance(first, Scripted)
    assert first is not second
    assert first.announces
    assert first.acknowledged


def test_what_the_server_cannot_do_is_refused_with_its_reason() -> None:
    with pytest.raises(ConfigurationError, match="receipt-other-participant: start-avatar brings a token for one"):
        conducts("silent+receipt-other-participant:eve")
    with pytest.raises(ConfigurationError, match="no fault 'mute'"):
        conducts("mute")


def test_every_fault_is_listed_with_one_line() -> None:
    text = listed()
    assert [name for name in KINDS if f"\n  {name} " not in text] == []
    assert max(map(len, text.splitlines())) <= 120


def test_the_command_lists_them_and_refuses_others_without_starting() -> None:
    command = [sys.executable, "-m", "mouthpiece_avatar", "--fault"]
    shown = subprocess.run([*command, "list"], capture_output=True, text=True, timeout=60)
    assert (shown.returncode, shown.stdout) == (0, listed())
    refused = subprocess.run([*command, "mute"], capture_output=True, text=True, timeout=60)
    assert refused.returncode == 2
    assert "there is no fault 'mute'" in refused.stderr
