"""Reads a service's settings once, in ``main``, from the environment, and describes wrong ones in words.

The settings themselves stand in each package, as a ``BaseSettings`` whose fields carry the name of their environment
variable as ``validation_alias``.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode

from mouthpiece.errors import ConfigurationError
from mouthpiece.process.addresses import check_http_url, check_livekit_url
from mouthpiece.process.env_file import check_secret

Item = TypeVar("Item")
S = TypeVar("S", bound=BaseSettings)


def _split(value: Any) -> Any:
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


def _livekit_url(url: str) -> str:
    return check_livekit_url(url) if url else url


CommaList = Annotated[list[Item], NoDecode, BeforeValidator(_split)]
"""Items with commas between them; spaces around an item and empty items do not count."""
HttpUrl = Annotated[str, AfterValidator(check_http_url)]
"""An address of a server, without the slash at its end."""
LiveKitUrl = Annotated[str, AfterValidator(_livekit_url)]
"""LiveKit's address, without the slash at its end; empty where a model allows that."""


SHORTEST_SECRET: Final = 32
"""Characters of a secret that guards what is reached from other machines; livekit-server asks for as many."""
SHORTEST_KEY: Final = 16
"""Characters of an API key there."""


def check_length(variable: str, value: str, shortest: int) -> None:
    """
    :raises ConfigurationError: ``value`` is shorter, so that it could be guessed from another machine.
    """
    if len(value) < shortest:
        raise ConfigurationError(
            f"{variable}: one of {len(value)} characters is too short for a service that other machines reach, "
            f"{shortest} are needed: openssl rand -hex {shortest // 2} makes one. Or listen on 127.0.0.1"
        )


def read_settings(model: type[S], **options: Any) -> S:
    """Make a ``model`` from the environment; ``options`` (by the field's name) that are not None override it.

    :raises ConfigurationError: settings are missing or wrong; the message names each one, and never holds a value.
    """
    try:
        settings = model(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        raise ConfigurationError(in_words(error, model)) from None
    for name in model.model_fields:
        if isinstance(value := getattr(settings, name), SecretStr):
            check_secret(_variable(name, model), value.get_secret_value())
    return settings


def in_words(error: ValidationError, model: type[BaseModel]) -> str:
    """Return one line per setting that is wrong: the name of its environment variable, and the fault."""
    lines = []
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        variable = _variable(problem["loc"][0], model)
        if problem["type"] == "missing":
            lines.append(f"{variable} is not set: put it into the environment or into .env.local")
        else:
            lines.append(f"{variable}: {problem['msg'].removeprefix('Value error, ')}")
    return "\n".join(lines)


def _variable(name: int | str, model: type[BaseModel]) -> str:
    """``name`` is the variable's already, or the field's where the value was given by that."""
    field = model.model_fields.get(str(name))
    return str(field.validation_alias if field is not None else name)
