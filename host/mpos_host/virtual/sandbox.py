"""What keeps device code from the rest of the computer: Landlock, a seccomp filter, no capabilities.

`enter` is for a process that is about to run device code; none of it needs privileges, and none of it can be
taken back. The network stays open, as a board has one. Only the standard library is used: vm_main.py loads
this file by itself.

Landlock (linux/landlock.h) closes files, signals and abstract sockets, not sockets with a path: those, and
what else needs no file, the filter closes (linux/seccomp.h). Namespaces were tried: many hosts forbid them to
unprivileged users.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterable

# linux/landlock.h. The numbers of the system calls are the same on all machines.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_SCOPE_ABSTRACT_UNIX_SOCKET, _SCOPE_SIGNAL = 1 << 0, 1 << 1
_RIGHTS_OF_ABI = {1: 13, 2: 14, 3: 15, 4: 15}  # how many bits of access to files; later: 16
_SCOPES_SINCE = 6

# linux/prctl.h, linux/capability.h
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION_3 = 0x20080522

# linux/seccomp.h, linux/filter.h, linux/audit.h
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ARCH_X86_64 = 0xC000003E
_OFFSET_NUMBER, _OFFSET_ARCH, _OFFSET_ARGUMENT = 0, 4, 16
_X32_BIT = 0x40000000
_ELF_64 = 2

# System calls of x86_64 (asm/unistd_64.h).
_SOCKET = 41
_FAMILIES = (2, 10, 16)  # AF_INET, AF_INET6, and AF_NETLINK, by which libc asks for the own addresses
_PROGRAMS = (59, 322)  # execve, execveat
_REFUSED = (
    *(
        29,
        30,
        64,
        68,
        240,
    ),  # memory, semaphores and queues by number or name: shmget, shmat, semget, msgget, mq_open
    *(90, 91, 268, 452),  # chmod, fchmod, fchmodat, fchmodat2
    *(92, 93, 94, 260),  # chown, fchown, lchown, fchownat
    *(101, 310, 311),  # ptrace, process_vm_readv, process_vm_writev
    *(132, 235, 261, 280),  # utime, utimes, futimesat, utimensat
    *(188, 189, 190, 197, 198, 199, 463, 466),  # setxattr, removexattr and their kin
    *(248, 249, 250),  # the user's keys: add_key, request_key, keyctl
    *(298, 321, 323),  # perf_event_open, bpf, userfaultfd
    425,  # io_uring_setup: its requests pass no filter
)

_libc = ctypes.CDLL(None, use_errno=True)


def landlock_abi() -> int:
    """The version of Landlock that this kernel offers, 0 for none."""
    return max(0, _libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _CREATE_RULESET_VERSION))


def has_filter(program: str | None) -> bool:
    """Whether there is a seccomp filter for an executable, or this process (None): on x86_64, of 64 bits."""
    return platform.machine() == "x86_64" and _elf_class(program or "/proc/self/exe") == _ELF_64


def why_not(program: str) -> str:
    """Why an executable cannot run in the sandbox; empty if it can."""
    if not _elf_class(program):
        return f"{program} is a script, which may need any program"
    if os.environ.get("SDL_VIDEODRIVER", "dummy") not in ("", "dummy", "offscreen"):
        return f"{program} opens a window, for which it needs the desktop's sockets, drivers and files"
    return ""


def shortcoming(program: str | None) -> str:
    """What device code could reach on this computer in spite of `enter`; empty if nothing.

    `program`: the executable that is to run it, None for the packaged VM.
    """
    reason = why_not(program) if program is not None else ""
    if reason:
        return f"{reason}: device code can reach this computer's files"
    if not landlock_abi():
        return "this kernel offers no Landlock: device code can reach this computer's files"
    if not has_filter(program):
        what = program or platform.machine()
        return f"no seccomp filter for {what}: device code can reach this computer's sockets"
    return ""


def enter(readable: Iterable[str], program: str | None = None, loaders: Iterable[str] = ()) -> None:
    """Leave this process, and all that it starts, nothing but the files that it has open and these.

    `readable`: files and folders to read from; those that do not exist are left out. `program`: the
    executable that may still be started, by its `loaders`; None for none at all. Raises OSError when the
    kernel refuses what it said to have.
    """
    is_filtered = has_filter(program)  # asked while the program can be read
    _checked(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    _checked(_libc.capset(header, bytes(24)))
    abi = landlock_abi()
    if abi:
        _restrict_files(abi, readable, (program, *loaders) if program else ())
    if is_filtered:
        _filter_calls(program is not None)


def _restrict_files(abi: int, readable: Iterable[str], executable: Iterable[str]) -> None:
    handled = (1 << _RIGHTS_OF_ABI.get(abi, 16)) - 1
    scopes = _SCOPE_ABSTRACT_UNIX_SOCKET | _SCOPE_SIGNAL if abi >= _SCOPES_SINCE else 0
    attributes = struct.pack("QQQ", handled, 0, scopes)  # files, network, scopes
    size = len(attributes) if scopes else 8  # an older kernel takes a shorter struct
    ruleset = _checked(_libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), 0))
    try:
        for path in readable:
            _allow(ruleset, path, _READ_FILE | _READ_DIR)
        for path in executable:
            _allow(ruleset, path, _READ_FILE | _EXECUTE)
        _checked(_libc.syscall(_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):
            rights &= ~_READ_DIR
        rule = struct.pack("=Qi", rights, descriptor)
        _checked(_libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0))
    finally:
        os.close(descriptor)


def _filter_calls(may_execute: bool) -> None:
    refused = _REFUSED if may_execute else (*_REFUSED, *_PROGRAMS)
    denied = _instruction(_RETURN, value=_ERRNO | errno.EACCES)
    allowed = _instruction(_RETURN, value=_ALLOW)
    program = [
        _instruction(_LOAD, value=_OFFSET_ARCH),
        # Calls by the numbers of another machine would pass all that follows.
        _instruction(_JUMP_EQUAL, 1, 0, _ARCH_X86_64),
        _instruction(_RETURN, value=_KILL_PROCESS),
        _instruction(_LOAD, value=_OFFSET_NUMBER),
        _instruction(_JUMP_AT_LEAST, 0, 1, _X32_BIT),
        denied,
    ]
    for number in refused:
        program += [_instruction(_JUMP_EQUAL, 0, 1, number), denied]
    program += [
        _instruction(_JUMP_EQUAL, 1, 0, _SOCKET),
        allowed,
        _instruction(_LOAD, value=_OFFSET_ARGUMENT),
    ]
    for family in _FAMILIES:
        program += [_instruction(_JUMP_EQUAL, 0, 1, family), allowed]
    code = ctypes.create_string_buffer(b"".join([*program, denied]))
    length = len(program) + 1
    filter_program = struct.pack("HxxxxxxQ", length, ctypes.addressof(code))
    _checked(_libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, filter_program, 0, 0))


def _instruction(code: int, if_true: int = 0, if_false: int = 0, value: int = 0) -> bytes:
    """A `struct sock_filter` (linux/filter.h)."""
    return struct.pack("HBBI", code, if_true, if_false, value)


def _elf_class(path: str) -> int:
    """1 for 32 bits, 2 for 64 (elf.h), 0 for what is no executable of this kind."""
    with open(path, "rb") as file:
        head = file.read(5)
    return head[4] if head[:4] == b"\x7fELF" and len(head) == 5 else 0


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
