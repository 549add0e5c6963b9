"""``--tts module:ClassName``: a TTS class of the user's, from the current folder."""

from __future__ import annotations

import importlib
import sys

from mouthpiece.errors import ConfigurationError
from mouthpiece.tts import TTS, available, create


def own_tts(name: str | None) -> str | TTS | None:
    """Return an object of the class ``module:ClassName``; return the name of a provider, or None, unchanged.

    The class may also be one of Vision Agents' TTS classes.

    :raises ConfigurationError: there is no such module or class, or it cannot be created without arguments.
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
            f"--tts {name}: {class_name}() fails ({type(error).__name__}: {error}). It is created without arguments."
        ) from None
    return made if isinstance(made, TTS) else create("vision_agents", plugin=made)
