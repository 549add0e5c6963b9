"""How a command ends: exit codes that a script can act on, and the sentence for a person."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import json
import logging
import signal
import sys
import warnings
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from mouthpiece.errors import AvatarTimeout, ConfigurationError, MouthpieceError
from mouthpiece.process.signals import stop_signals


class ExitCode(enum.IntEnum):
    """What a script learns from a command; docs/api.md names the states."""

    FINISHED = 0
    FAILED = 1
    USAGE = 2
    NO_AVATAR = 3
    UNKNOWN = 4
    STOPPED = 5
    """Interrupted, cancelled, expired or ignored."""
    CTRL_C = 130


def exit_code_of(segment: dict[str, Any]) -> ExitCode:
    """The exit code for a segment (its JSON) that has ended, or has come as far as was asked."""
    error = segment["error"] or {}
    match segment["state"]:
        case "failed":
            return ExitCode.NO_AVATAR if error.get("type") == "avatar-timeout" else ExitCode.FAILED
        case "unknown":
            return ExitCode.UNKNOWN
        case "interrupted" | "cancelled" | "expired" | "ignored":
            return ExitCode.STOPPED
    return ExitCode.FINISHED


def sentence(segment: dict[str, Any]) -> str:
    """What became of a segment, for a person."""
    name = segment["source"]["name"] or segment["id"]
    position, duration = segment["position"], segment["audio"]["duration"]
    length = f"{position:.2f} s" if duration is None else f"{position:.2f} of {duration:.2f} s"
    text = f"{name}: {segment['state']}, {length}"
    if segment["receipt"] in ("confirmed", "estimated"):
        text += f", {segment['receipt']}"
    if segment["error"]:
        text += f". {segment['error']['detail']}"
    return text


def fail(message: str) -> None:
    """One sentence on standard error."""
    print(f"mouthpiece: {message}", file=sys.stderr)


def fail_with(error: MouthpieceError, *, as_json: bool) -> None:
    """The sentence of an error; for a machine it is a line on standard output too."""
    fail(str(error))
    if as_json:
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps({"error": {"type": error.slug, "detail": str(error)}}), flush=True)


def run(work: Callable[[], Coroutine[Any, Any, int]], *, as_json: bool = False) -> NoReturn:
    """Runs a command to its end and exits. Ctrl-C and SIGTERM end it the same way: what is open is closed first."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # a library's word to its developers, not to who runs the command
    for name in ("livekit", "mouthpiece_sender.speech.synthesis"):  # what matters of them, the outcome says
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        code = asyncio.run(_until_told(work))
    except (KeyboardInterrupt, asyncio.CancelledError):
        code = ExitCode.CTRL_C
    except MouthpieceError as error:
        fail_with(error, as_json=as_json)
        match error:
            case ConfigurationError():
                code = ExitCode.USAGE
            case AvatarTimeout():
                code = ExitCode.NO_AVATAR
            case _:
                code = ExitCode.FAILED
    except BrokenPipeError:
        code = ExitCode.FAILED  # nobody reads what we print any more
    sys.exit(int(code))


async def _until_told(work: Callable[[], Coroutine[Any, Any, int]]) -> int:
    task = asyncio.current_task()
    assert task is not None

    def cancel(_: signal.Signals) -> None:
        task.cancel()

    with stop_signals(cancel):
        return await work()
