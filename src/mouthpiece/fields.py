"""The fields of a dataclass with what the store and the API must know of them.

A dataclass says it once, beside each field: ``position: Annotated[float, About("Seconds.")] = 0.0``. From that the
store derives its columns, ``segment_json`` the keys and the API its OpenAPI schema. A nested dataclass is a *group*;
a tuple of dataclasses is a group of which there are many, and has a table of its own.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class About:
    """Describes one field."""

    text: str | None = None
    """Its description in the OpenAPI document."""
    fixed: bool = False
    """It never changes once the segment is accepted."""
    shown: bool = True
    """It is a key of the JSON."""
    prefix: str | None = None
    """Of a group: what its columns' names begin with; None: the field's name and ``_``."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a dataclass."""

    name: str
    annotation: Any
    """Its type as it is written, without :class:`About`."""
    type: type
    """That type without ``None``; ``str`` for a literal, ``dict`` for a JSON object, that of one entry for a tuple."""
    about: About
    group: tuple[Field, ...]
    """The fields of the dataclass that it holds; empty where it holds a plain value."""
    many: bool = False
    """It holds a tuple of that dataclass."""

    @property
    def optional(self) -> bool:
        return types.NoneType in typing.get_args(self.annotation)


@functools.cache
def fields_of(kind: type) -> tuple[Field, ...]:
    """The fields of the dataclass ``kind``, in the order in which it defines them."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return tuple(_field(field.name, hints[field.name]) for field in dataclasses.fields(kind))


def _field(name: str, hint: Any) -> Field:
    about = next((extra for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, About)), About())
    annotation = hint.__origin__ if typing.get_origin(hint) is typing.Annotated else hint
    many = typing.get_origin(annotation) is tuple
    held = _single_type(typing.get_args(annotation)[0] if many else annotation)
    group = fields_of(held) if dataclasses.is_dataclass(held) else ()
    return Field(name, annotation, held, about, group, many)


def _single_type(annotation: Any) -> type:
    """Return the type of a value that is not None, without its parameters."""
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        (annotation,) = (part for part in typing.get_args(annotation) if part is not types.NoneType)
    if typing.get_origin(annotation) is typing.Literal:
        annotation = str
    found = typing.get_origin(annotation) or annotation
    assert isinstance(found, type), f"{annotation} is no single type"
    return found
