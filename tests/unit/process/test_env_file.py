"""Files of settings as editors and shells write them, and secrets as orchestrators hand them over."""

from __future__ import annotations

from pathlib import Path

import pytest

from mouthpiece.errors import ConfigurationError
from mouthpiece.process.env_file import check_secret, read_env_file

TEXT = 'LIVEKIT_URL=ws://127.0.0.1:7880\r\nNAME="Zoë"\r\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_may_be_utf_8_or_utf_16(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "env").write_bytes(TEXT.encode(encoding))
    assert read_env_file(tmp_path / "env") == TEXT


def test_no_file_is_an_empty_one(tmp_path: Path) -> None:
    assert read_env_file(tmp_path / "env") == ""


def test_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "env").write_bytes("NAME=Zoë".encode("latin-1"))
    with pytest.raises(ConfigurationError, match="neither UTF-8 nor UTF-16"):
        read_env_file(tmp_path / "env")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("secret\n", "white space"),
        (" secret", "white space"),
        ('"secret"', "quotes"),
        ("'secret'", "quotes"),
        ("…", "placeholder"),
    ],
)
def test_what_stands_around_a_secret_is_named(value: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^LIVEKIT_API_SECRET.*{words}") as caught:
        check_secret("LIVEKIT_API_SECRET", value)
    assert "secret" not in str(caught.value).replace("LIVEKIT_API_SECRET", "")


def test_a_secret_alone_is_accepted() -> None:
    check_secret("LIVEKIT_API_SECRET", "se'cr\"et")
    check_secret("LIVEKIT_API_SECRET", "")
