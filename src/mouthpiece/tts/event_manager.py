"""Who hears of events: handlers, by the type that they ask for.

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
"""So that an annotation kept as a string is understood where its name is local to the handler's function."""


class EventManager:
    """Calls the handlers of an event in the order of their subscription, each after the one before has returned."""

    def __init__(self) -> None:
        self._handlers: list[tuple[Callable[[Any], Awaitable[None] | None], tuple[type[TTSEvent], ...]]] = []

    def subscribe(self, handler: Handler) -> Handler:
        """Calls ``handler`` (a coroutine function or a function) with every event of the type that its first
        parameter is annotated with: an event class, a union of them, or ``TTSEvent`` for all.

        :raises TypeError: the handler's first parameter is not annotated so.
        """
        self._handlers.append((handler, _wanted(handler)))
        return handler

    def unsubscribe(self, handler: Callable[[Any], Any]) -> None:
        """:raises ValueError: it is not subscribed."""
        for index, (known, _) in enumerate(self._handlers):
            if known == handler:
                del self._handlers[index]
                return
        raise ValueError("this handler is not subscribed")

    def has_subscribers(self, event: type[TTSEvent]) -> bool:
        return any(issubclass(event, wanted) for _, wanted in self._handlers)

    async def emit(self, event: TTSEvent) -> None:
        """Awaits the handlers. One that fails is logged (without its message, which may quote speech); the others
        and the synthesis go on."""
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
    """File and line of the handler that failed: the second step of its traceback, after ``emit`` itself."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
