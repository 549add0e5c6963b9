"""Delivery of events to handlers, each of which subscribes to types by its annotation.

::

    @tts.events.subscribe
    async def on_audio(event: TTSAudioEvent) -> None: ...

    @tts.events.subscribe
    async def on_end(event: TTSSynthesisCompleteEvent | TTSErrorEvent) -> None: ...
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import types
import typing
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from mouthpiece.tts import events as _events
from mouthpiece.tts.events import TTSEvent

_log = logging.getLogger(__name__)

Handler = TypeVar("Handler", bound=Callable[[Any], Awaitable[None] | None])

_KNOWN = {name: value for name, value in vars(_events).items() if isinstance(value, type)}
"""The event classes by name: annotations kept as strings are resolved with them, also if the handler's module does not
have the names at its top level."""


class EventManager:
    """Calls the handlers of an event one after the other, in the order of their subscription."""

    def __init__(self) -> None:
        self._handlers: list[tuple[Callable[[Any], Awaitable[None] | None], tuple[type[TTSEvent], ...]]] = []

    def subscribe(self, handler: Handler) -> Handler:
        """Call ``handler``, a function or coroutine function, with every event of the type that its first parameter is
        annotated with: an event class, a union of them, or ``TTSEvent`` for all. Returns ``handler``.

        :raises TypeError: the first parameter is not annotated with event classes.
        """
        self._handlers.append((handler, _wanted(handler)))
        return handler

    def unsubscribe(self, handler: Callable[[Any], Any]) -> None:
        """Stop calling ``handler``.

        :raises ValueError: it is not subscribed.
        """
        for index, (known, _) in enumerate(self._handlers):
            if known == handler:
                del self._handlers[index]
                return
        raise ValueError("this handler is not subscribed")

    def has_subscribers(self, event: type[TTSEvent]) -> bool:
        """Whether a handler would receive events of this class."""
        return any(issubclass(event, wanted) for _, wanted in self._handlers)

    async def emit(self, event: TTSEvent) -> None:
        """Call and await the handlers of ``event``. If one fails, that is logged (without the exception's message,
        which may quote speech) and the others are called all the same."""
        for handler, wanted in tuple(self._handlers):
            if not isinstance(event, wanted):
                continue
            try:
                result = handler(event)
                if result is not None:
                    await result
            except asyncio.CancelledError:
                if (task := asyncio.current_task()) is not None and task.cancelling():
                    raise
                _log.error("a handler of %s waited for something that was cancelled", event.type)
            except Exception as error:
                _log.error("a handler of %s failed: %s at %s", event.type, type(error).__name__, _where(error))


def _wanted(handler: Callable[..., Any]) -> tuple[type[TTSEvent], ...]:
    name = getattr(handler, "__qualname__", repr(handler))
    function = handler if inspect.isroutine(handler) else type(handler).__call__
    parameters = list(inspect.signature(handler).parameters.values())
    try:
        hints = typing.get_type_hints(function, localns=_KNOWN)
    except NameError as error:
        raise TypeError(f"{name}: its annotation is not known here: {error}") from None
    annotation = hints.get(parameters[0].name) if parameters else None
    union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    wanted = typing.get_args(annotation) if union else (annotation,)
    if not all(isinstance(one, type) and issubclass(one, TTSEvent) for one in wanted):
        raise TypeError(
            f"{name}: its first parameter must be annotated with the event that it wants, e.g. `event: TTSAudioEvent`"
        )
    return wanted


def _where(error: BaseException) -> str:
    """The file and line that raised ``error``."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
