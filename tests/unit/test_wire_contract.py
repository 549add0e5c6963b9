"""Our constants and payloads against those of the installed livekit-agents: a release that moves them is seen here."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import textwrap
from collections.abc import Callable

import pytest
from livekit.agents.types import ATTRIBUTE_PUBLISH_ON_BEHALF
from livekit.agents.voice import remote_session
from livekit.agents.voice.avatar import _datastream_io as stock
from livekit.agents.voice.io import PlaybackFinishedEvent

from mouthpiece import wire


@pytest.mark.parametrize(
    "ours, theirs",
    [
        (wire.AUDIO_STREAM_TOPIC, stock.AUDIO_STREAM_TOPIC),
        (wire.RPC_CLEAR_BUFFER, stock.RPC_CLEAR_BUFFER),
        (wire.RPC_PLAYBACK_STARTED, stock.RPC_PLAYBACK_STARTED),
        (wire.RPC_PLAYBACK_FINISHED, stock.RPC_PLAYBACK_FINISHED),
        (wire.SESSION_TOPIC, remote_session.TOPIC_SESSION_MESSAGES),
        (wire.ATTR_PUBLISH_ON_BEHALF, ATTRIBUTE_PUBLISH_ON_BEHALF),
    ],
)
def test_names_are_those_of_livekit_agents(ours: str, theirs: str) -> None:
    assert ours == theirs


def test_our_finished_receipt_is_read_by_a_stock_sender() -> None:
    """A stock sender calls ``PlaybackFinishedEvent(**payload)``: an unknown key would end its receiver's main task."""
    payload = json.loads(wire.PlaybackFinished(1.25, True).dumps())
    event = PlaybackFinishedEvent(**payload)
    assert (event.playback_position, event.interrupted) == (1.25, True)


def test_a_stock_avatars_finished_receipt_is_read_by_us() -> None:
    payload = json.dumps(dataclasses.asdict(PlaybackFinishedEvent(playback_position=2.5, interrupted=False)))
    assert wire.PlaybackFinished.loads(payload) == wire.PlaybackFinished(2.5, False)


def test_a_stream_that_the_stock_sender_opens_has_our_attributes_and_name() -> None:
    """``stream_bytes(name=…, attributes={…})`` in the installed ``capture_frame``."""
    call = _call_of(stock.DataStreamAudioOutput.capture_frame, "stream_bytes")
    attributes = _keyword(call, "attributes")
    assert isinstance(attributes, ast.Dict)
    keys = {key.value for key in attributes.keys if isinstance(key, ast.Constant)}
    assert keys == wire.StreamHeader(16_000, 1).attributes().keys()
    name = _keyword(call, "name")
    assert isinstance(name, ast.Call)
    assert [ast.literal_eval(argument) for argument in name.args] == [wire.STREAM_NAME_PREFIX]


def test_the_stock_receiver_asks_for_no_other_attributes() -> None:
    """It refuses a stream that lacks one of these, so ours must always carry them as whole numbers."""
    source = inspect.getsource(stock.DataStreamAudioReceiver._recv_task)
    for attribute in (wire.ATTR_SAMPLE_RATE, wire.ATTR_NUM_CHANNELS):
        assert f'"{attribute}" not in attrs' in source
        assert f'int(attrs["{attribute}"])' in source


def test_clear_answers_are_those_of_the_stock_receiver() -> None:
    tree = _tree_of(stock.DataStreamAudioReceiver.start)
    handler = next(node for node in ast.walk(tree) if getattr(node, "name", "") == "_handle_clear_buffer")
    answers = {
        ast.literal_eval(node.value) for node in ast.walk(handler) if isinstance(node, ast.Return) and node.value
    }
    assert answers == {wire.CLEAR_OK, wire.CLEAR_REJECT}


def _tree_of(function: Callable[..., object]) -> ast.AST:
    return ast.parse(textwrap.dedent(inspect.getsource(function)))


def _call_of(function: Callable[..., object], name: str) -> ast.Call:
    calls = [node for node in ast.walk(_tree_of(function)) if isinstance(node, ast.Call)]
    return next(call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == name)


def _keyword(call: ast.Call, name: str) -> ast.expr:
    return next(keyword.value for keyword in call.keywords if keyword.arg == name)
