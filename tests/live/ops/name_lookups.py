"""Which names a program and its children look up, whatever language they are written in: their system calls are read.

``strace`` shows each datagram that leaves for a name server. Addresses that stand in ``/etc/hosts`` are not shown.
"""

from __future__ import annotations

import re
from pathlib import Path

_PAYLOAD = re.compile(r'"((?:\\x[0-9a-f]{2})+)"')
_SERVER = re.compile(r"connect\(.*htons\(53\).*inet_(?:addr|pton)\((?:AF_INET6, )?\"((?:\\x[0-9a-f]{2})+)\"")
_NEVER_ASKED = {"8.8.8.8", "2001:4860:4860::8888"}
"""libwebrtc connects a socket to these to learn the address of this machine's own route, and sends nothing."""


def traced(trace: Path) -> list[str]:
    """Return the words to put before a command, so that its calls are written to ``trace``.

    Only the calls that matter stop the program (``--seccomp-bpf``): all else runs at its usual pace.
    """
    calls = "trace=connect,sendto,sendmsg,sendmmsg"
    return [
        "strace",
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-xx",
        "-s",
        "300",
        "-e",
        calls,
        "-e",
        "signal=none",
        "-o",
        str(trace),
    ]


def names_looked_up(trace: str) -> set[str]:
    """Return the names in the questions of a trace, and the name servers that were connected to."""
    found: set[str] = set()
    for line in trace.splitlines():
        if server := _SERVER.search(line):
            found |= {f"name server {_bytes(server[1]).decode()}"} - {
                f"name server {address}" for address in _NEVER_ASKED
            }
        else:
            found |= {name for payload in _PAYLOAD.findall(line) if (name := question(_bytes(payload)))}
    return found


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def question(packet: bytes) -> str:
    """Return the name in a DNS query of one question (RFC 1035, 4.1); empty if ``packet`` is none."""
    if len(packet) < 17 or packet[2] & 0xF8 or packet[4:10] != b"\x00\x01\x00\x00\x00\x00":
        return ""
    labels, at = [], 12
    while at < len(packet) and 0 < packet[at] < 64:
        labels.append(packet[at + 1 : at + 1 + packet[at]].decode("latin-1"))
        at += 1 + packet[at]
    complete = at + 4 < len(packet) and packet[at] == 0 and packet[at + 3 : at + 5] == b"\x00\x01"
    return ".".join(labels) if complete else ""
