"""Confines a process that reads untrusted media: no privileges to gain, no file system, no network, no other process.

Linux only, by system calls: ``prctl(PR_SET_NO_NEW_PRIVS)``, Landlock (Documentation/userspace-api/landlock.rst of the
kernel) with a rule for nothing, and a seccomp filter (seccomp(2)) that refuses what a decoder never needs. Files that
are open already stay usable.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys
from typing import Final

_PR_SET_SECCOMP: Final = 22
_PR_SET_NO_NEW_PRIVS: Final = 38
_LANDLOCK_CREATE: Final = 444
_LANDLOCK_RESTRICT: Final = 446

_FILE_RIGHTS: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""Landlock's rights over files by the version that brought them: all of them are taken away."""
_NETWORK_RIGHTS: Final = 0b11
"""TCP bind and connect; from version 4 on."""
_SCOPES: Final = 0b11
"""Abstract Unix sockets and signals; from version 6 on."""

_ARCHITECTURES: Final = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_REFUSED: Final = {
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    "kill": (62, 129),
    "tkill": (200, 130),
    "ptrace": (101, 117),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "open": (2, None),
    "openat": (257, 56),
    "openat2": (437, 437),
    "creat": (85, None),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "stat": (4, None),
    "lstat": (6, None),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchown": (93, 55),
    "chown": (92, None),
    "fchownat": (260, 54),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "truncate": (76, 45),
    "chroot": (161, 51),
    "chdir": (80, 49),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    "memfd_create": (319, 279),
    "reboot": (169, 142),
    "inotify_init1": (294, 26),
    "fanotify_init": (300, 262),
}
"""System calls that are refused: their numbers on x86-64 and on 64-bit ARM."""
_X32: Final = 0x40000000


def confine() -> list[str]:
    """Confine this process and its threads for the rest of its life; return the names of the means that are lacking."""
    if sys.platform != "linux":
        return ["Landlock", "seccomp"]
    library = ctypes.CDLL(None, use_errno=True)
    lacking = []
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        lacking.append("no-new-privileges")
    if not _landlock(library):
        lacking.append("Landlock")
    if not _seccomp(library):
        lacking.append("seccomp")
    return lacking


def _landlock(library: ctypes.CDLL) -> bool:
    version = library.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    files = max(rights for since, rights in _FILE_RIGHTS.items() if since <= version)
    rules = struct.pack("=Q", files)
    if version >= 4:
        rules += struct.pack("=Q", _NETWORK_RIGHTS)
    if version >= 6:
        rules += struct.pack("=Q", _SCOPES)
    ruleset = library.syscall(_LANDLOCK_CREATE, rules, ctypes.c_size_t(len(rules)), 0)
    return bool(ruleset >= 0 and library.syscall(_LANDLOCK_RESTRICT, ruleset, 0) == 0)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def _seccomp(library: ctypes.CDLL) -> bool:
    known = _ARCHITECTURES.get(platform.machine())
    if known is None:
        return False
    audit, column = known
    numbers = [entry[column] for entry in _REFUSED.values()]
    refused = [number for number in numbers if number is not None]
    code = _filter(audit, refused)
    program = _Program(len(code) // 8, code)
    return bool(library.prctl(_PR_SET_SECCOMP, 2, ctypes.byref(program), 0, 0) == 0)


def _filter(audit: int, refused: list[int]) -> bytes:
    """The classic BPF program: another architecture ends the process, the numbers ``refused`` get EACCES."""
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    kill, allow, refuse = 0x8000_0000, 0x7FFF_0000, 0x0005_0000 | errno.EACCES
    steps = [(load, 0, 0, 4), (equal, 1, 0, audit), (give, 0, 0, kill), (load, 0, 0, 0)]
    count = len(refused)
    steps.append((at_least, count + 1, 0, _X32))
    steps += [(equal, count - index, 0, number) for index, number in enumerate(refused)]
    steps += [(give, 0, 0, allow), (give, 0, 0, refuse)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
