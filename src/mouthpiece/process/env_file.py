"""A file of settings, as editors and shells write it (UTF-8 with or without a byte order mark, or UTF-16), and what
they leave around a secret."""

from __future__ import annotations

import codecs
import os
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values, load_dotenv

from mouthpiece.errors import ConfigurationError


def load_env_file(path: Path) -> None:
    """Set the variables of ``path`` that the environment lacks.

    :raises ConfigurationError: see ``read_env_file``.
    """
    load_dotenv(stream=StringIO(read_env_file(path)))


def environment_over(path: Path) -> dict[str, str]:
    """Return the variables of the environment over those of ``path``; an empty one counts as not set.

    :raises ConfigurationError: see ``read_env_file``.
    """
    known = {**dotenv_values(stream=StringIO(read_env_file(path))), **os.environ}
    return {name: value for name, value in known.items() if value}


def read_env_file(path: Path) -> str:
    """The text of ``path``; empty if there is no such file.

    :raises ConfigurationError: it cannot be read, or is in another encoding.
    """
    try:
        data = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return ""
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    encoding = "utf-8-sig"
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        encoding = "utf-16"
    elif data[1:2] == b"\0":
        encoding = "utf-16-le"
    elif data[:1] == b"\0":
        encoding = "utf-16-be"
    try:
        return data.decode(encoding)
    except UnicodeError:
        raise ConfigurationError(f"{path} is neither UTF-8 nor UTF-16: save it as UTF-8") from None


def check_secret(variable: str, value: str) -> None:
    """
    :raises ConfigurationError: ``value`` has white space or quotes around it, which no key has: they come from
        ``echo secret | base64`` or from the quotes that ``docker run --env-file`` keeps. Or it is what the
        documentation writes in a key's place.
    """
    if value == "…":
        raise ConfigurationError(f"{variable} is the placeholder of the documentation: put your own in its place")
    if value != value.strip():
        raise ConfigurationError(f"{variable} begins or ends with white space or a line end: remove that")
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        raise ConfigurationError(f"{variable} has quotes around it that are part of the value: remove them")
