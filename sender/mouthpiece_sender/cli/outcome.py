"""The end of a command: its exit code for scripts, and its sentence for people."""

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
    """The exit codes of the commands; docs/api.md names the states."""

    FINISHED = 0
    FAILED = 1
    USAGE = 2
    NO_AVATAR = 3
    UNKNOWN = 4
    STOPPED = 5
    """Interrupted, cancelled, expired or ignored."""
    CTRL_C = 130


def exit_code_of(segment: dict[str, Any]) -> ExitCode:
    """Return the exit code for a segment (its JSON) that has ended, or that the command does not wait for."""
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
    """Describe a segment (its JSON) for a person: its state, how far it was heard, its error."""
    name = segment["source"]["name"] or segment["id"]
    position, duration = segment["position"], segment["audio"]["duration"]
    length = f"{position:.2f} s" if duration is None else f"{position:.2f} of {duration:.2f} s"
    text = f"{name}: {segment['state']}, {length}"
    if segment["receipt"] in ("confirmed", "heard", "estimated"):
        text += f", {segment['receipt']}"
    if segment["error"]:
        text += f". {segment['error']['detail']}"
    return text


def fail(message: str) -> None:
    """Print one sentence on standard error."""
    print(f"mouthpiece: {message}", file=sys.stderr)


def fail_with(error: MouthpieceError, *, as_json: bool) -> None:
    """Print the sentence of an error.

    :param as_json: also print it as a line of JSON on standard output.
    """
    fail(str(error))
    if as_json:
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps({"error": {"type": error.slug, "detail": str(error)}}), flush=True)


def run(work: Callable[[], Coroutine[Any, Any, int]], *, as_json: bool = False) -> NoReturn:
    """Run a command to its end and exit. Ctrl-C and SIGTERM cancel it, which closes everything that it opened."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # warnings of libraries are for their developers
    for name in ("livekit", "mouthpiece_sender.speech.synthesis"):  # the command prints their failures itself
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        code = asyncio.run(_until_sigterm(work))
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
        code = ExitCode.FAILED  # the reader of standard output has gone
    sys.exit(int(code))


async def _until_sigterm(work: Callable[[], Coroutine[Any, Any, int]]) -> int:
    task = asyncio.current_task()
    assert task is not None

    def cancel(_: signal.Signals) -> None:
        task.cancel()

    with stop_signals(cancel):
        return await work()
