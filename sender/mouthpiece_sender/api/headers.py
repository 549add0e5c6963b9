"""Headers that ask for something which no call does: they are refused, since ignoring one would promise it."""

from __future__ import annotations

from typing import Final

from starlette.requests import HTTPConnection

from mouthpiece_sender.api.problems import ApiProblem

_REFUSED: Final = {
    "Range": "no part of an answer is given: leave it out",
    "Content-Range": "a body is taken whole: leave it out",
    "Prefer": "the parameters `wait` and `timeout` say when to answer: leave it out",
}


async def refuse_unsupported(request: HTTPConnection) -> None:
    """A dependency of every route but the probes.

    :raises ApiProblem: the request has a header that it would have to honour; the body is compressed for its way.
    """
    for name, reason in _REFUSED.items():
        if request.headers.get(name) is not None:
            raise ApiProblem("bad-parameter", f"{name} is not honoured here: {reason}.", field=name)
    encodings = request.headers.getlist("Content-Encoding")
    if any(encoding.strip().lower() not in ("", "identity") for encoding in encodings):
        raise ApiProblem(
            "unsupported-format", "A body is taken as it is, without Content-Encoding.", field="Content-Encoding"
        )
