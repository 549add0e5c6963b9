"""``--tts module:ClassName``: a TTS class that somebody wrote, from the current folder."""

from __future__ import annotations

import importlib
import sys

from mouthpiece.errors import ConfigurationError
from mouthpiece.tts import TTS, available, create


def own_tts(name: str | None) -> str | TTS | None:
    """An object of the class that ``name`` names; a provider's name as it is.

    A class of Vision Agents is taken as it is too.

    :raises ConfigurationError: there is no such module or class, or it cannot be set up without arguments.
    """
    if name is None or ":" not in name or name.partition(":")[0] in {known.name for known in available()}:
        return name
    module_name, _, class_name = name.partition(":")
    sys.path.insert(0, "")  # the current folder
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ConfigurationError(
            f"--tts {name}: {module_name} cannot be imported from this folder or the environment ({error})."
        ) from None
    except Exception as error:
        raise ConfigurationError(
            f"--tts {name}: {module_name} fails when it is imported ({type(error).__name__}: {error})."
        ) from None
    finally:
        sys.path.remove("")
    kind = getattr(module, class_name, None)
    if not isinstance(kind, type):
        raise ConfigurationError(f"--tts {name}: {module_name} has no class {class_name}.")
    try:
        made = kind()
    except Exception as error:
        raise ConfigurationError(
            f"--tts {name}: {class_name}() fails ({type(error).__name__}: {error}). It is set up without arguments."
        ) from None
    return made if isinstance(made, TTS) else create("vision_agents", plugin=made)
