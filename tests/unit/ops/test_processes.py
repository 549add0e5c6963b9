"""The processes of the demo: ports, environments and command lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mouthpiece_sender.demo import processes
from mouthpiece_sender.demo.livekit_server import LiveKit

LIVEKIT = LiveKit("ws://127.0.0.1:7880", "devkey", "a-secret-of-thirty-two-characters")
PORTS = {"avatar": 8080, "worker": 8081, "sender": 8090}


def test_default_ports_are_used_where_they_are_free() -> None:
    others = iter([50_000])
    ports = processes.choose_ports(list(processes.DEFAULT_PORTS), lambda port: port != 8080, lambda: next(others))
    assert ports == {"livekit-server": 7880, "avatar": 50_000, "worker": 8081, "sender": 8090}


def ours(environment: dict[str, str] | None = None) -> dict[str, processes.DemoProcess]:
    return {
        process.name: process
        for process in processes.mouthpiece_processes(LIVEKIT, PORTS, Path("data"), environment or {})
    }


def test_processes_that_others_need_start_first() -> None:
    assert list(ours()) == ["avatar", "worker", "sender"]


def test_all_processes_get_the_same_livekit_and_the_same_agent_name() -> None:
    environments = [process.environment for process in ours().values()]
    assert {environment["LIVEKIT_URL"] for environment in environments} == {LIVEKIT.url}
    assert len({environment["AGENT_NAME"] for environment in environments}) == 1


def test_two_demos_at_one_livekit_server_do_not_take_each_others_rooms() -> None:
    assert ours()["worker"].environment["AGENT_NAME"] != ours()["worker"].environment["AGENT_NAME"]


def test_the_users_settings_reach_the_processes_and_the_demos_own_override_them() -> None:
    sender = ours({"OPENAI_API_KEY": "k", "LIVEKIT_URL": "wss://elsewhere", "PATH": "/bin"})["sender"]
    assert sender.environment["OPENAI_API_KEY"] == "k"
    assert sender.environment["LIVEKIT_URL"] == LIVEKIT.url


def test_the_worker_gets_the_avatars_address() -> None:
    assert ours()["worker"].environment["MOUTHPIECE_AVATAR_URL"] == ours()["avatar"].address


def test_the_printed_commands_need_no_key() -> None:
    """An empty variable counts as not set, and ``.env.local`` does not override one that is there."""
    assert ours({"MOUTHPIECE_API_KEYS": "sesame"})["sender"].environment["MOUTHPIECE_API_KEYS"] == ""


def test_no_secret_stands_on_a_command_line() -> None:
    livekit = processes.livekit_process(Path("/bin/livekit-server"), LIVEKIT, {})
    for process in [livekit, *ours({"MOUTHPIECE_API_KEYS": "sesame"}).values()]:
        line = " ".join(process.command)
        assert LIVEKIT.api_secret not in line
        assert "sesame" not in line


def test_livekit_listens_on_loopback_alone() -> None:
    process = processes.livekit_process(Path("/bin/livekit-server"), LIVEKIT, {})
    config = json.loads(process.environment["LIVEKIT_CONFIG"])
    assert config["bind_addresses"] == ["127.0.0.1"]
    assert config["port"] == 7880
    assert config["keys"] == {LIVEKIT.api_key: LIVEKIT.api_secret}


@pytest.mark.parametrize("name", ["avatar", "worker", "sender"])
def test_each_process_listens_on_loopback_alone(name: str) -> None:
    command = ours()[name].command
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--port") + 1] == str(PORTS[name])
