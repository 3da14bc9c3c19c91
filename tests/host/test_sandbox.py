"""Device code reaches nothing of the computer that plays its board, whatever it imports or calls."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from mpos_host.board.device import DeviceError
from mpos_host.board.target import Target
from mpos_host.virtual import sandbox

SECRET = "the computer's own"

pytestmark = pytest.mark.skipif(
    sandbox.shortcoming(None) != "", reason=f"this computer cannot: {sandbox.shortcoming(None)}"
)


@pytest.fixture
def host_folder() -> Iterator[Path]:
    """A folder of the host that anybody may use, with a file and a socket that somebody listens at."""
    with tempfile.TemporaryDirectory() as name, socket.socket(socket.AF_UNIX) as listener:
        folder = Path(name)
        folder.chmod(0o777)
        (folder / "secret").write_text(SECRET)
        (folder / "secret").chmod(0o666)
        (folder / "program").write_text(f"#!/bin/sh\ntouch {folder}/ran\n")
        (folder / "program").chmod(0o777)
        listener.bind(str(folder / "socket"))
        listener.listen()
        before = _state(folder)
        yield folder
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
        assert _state(folder) == before


def _state(folder: Path) -> list[tuple[str, int, str]]:
    return sorted(
        (path.name, path.stat().st_mode, path.read_text() if path.is_file() else "")
        for path in folder.iterdir()
    )


# What the device code of each escape begins with. `os`, `vfs`, `io` and `sys` are the built-in ones.
BUILT_IN = """
import sys as board_sys
for name in ("os", "vfs", "io", "uos", "uvfs", "uio", "sys", "usys"):
    board_sys.modules.pop(name, None)
import os, vfs, io, sys, socket, builtins
builtins.open = io.open
host = FOLDER
def unix(path):
    return b"\\x01\\x00" + path.encode() + b"\\0"
"""

ESCAPES = {
    "run a command": "assert os.system('touch %s/ran' % host) == 0",
    "run a program by its path": "assert os.system(host + '/program') == 0",
    "read a file": "print(vfs.VfsPosix('/').open(host + '/secret', 'r').read())",
    "read a file below another root": "print(vfs.VfsPosix(host).open('/secret', 'r').read())",
    "read by mounting": "vfs.mount(vfs.VfsPosix('/'), '/host'); io.open('/host%s/secret' % host)",
    "read by leaving a root": "print(vfs.VfsPosix('/usr').open('/..' + host + '/secret', 'r').read())",
    "read from another root": "vfs.umount('/'); vfs.mount(vfs.VfsPosix(host), '/'); open('/secret')",
    "read /etc/passwd": "print(vfs.VfsPosix('/').open('/etc/passwd', 'r').read())",
    "read the own environment": "print(vfs.VfsPosix('/').open('/proc/self/environ', 'r').read())",
    "read the own memory": "print(vfs.VfsPosix('/').open('/proc/self/mem', 'rb').read(1))",
    "read the parent's command": "print(vfs.VfsPosix('/').open('/proc/1/cmdline', 'r').read())",
    "read a terminal": "print(vfs.VfsPosix('/').open('/dev/tty', 'r+b'))",
    "list a folder": "print(list(vfs.VfsPosix('/').ilistdir(host)))",
    "list the root": "print(list(vfs.VfsPosix('/').ilistdir('/')))",
    "list the processes": "print(list(vfs.VfsPosix('/').ilistdir('/proc')))",
    "write a file": "vfs.VfsPosix('/').open(host + '/secret', 'w').write('x')",
    "append to a file": "vfs.VfsPosix('/').open(host + '/secret', 'a').write('x')",
    "make a file": "vfs.VfsPosix('/').open(host + '/new', 'w')",
    "make a folder": "vfs.VfsPosix('/').mkdir(host + '/new')",
    "remove a file": "vfs.VfsPosix('/').remove(host + '/secret')",
    "write to a device": "vfs.VfsPosix('/').open('/dev/null', 'w')",
    "remove a folder": "vfs.VfsPosix('/').rmdir(host)",
    "change the firmware": "vfs.VfsPosix('').open('machine.mpy', 'w')",
    "connect to a socket": "socket.socket(socket.AF_UNIX).connect(unix(host + '/socket'))",
    "bind a socket": "socket.socket(socket.AF_UNIX).bind(unix(host + '/new'))",
    "send to a socket": "socket.socket(1, socket.SOCK_DGRAM).sendto(b'x', unix(host + '/socket'))",
    "see the environment": "assert os.getenv('MPOS_TEST_SECRET'), 'nothing'",
    "start a module of the host": "sys.path.append(host); import program",
    "execute a file of the host": "vfs.umount('/'); vfs.mount(vfs.VfsPosix(host), '/'); execfile('/secret')",
    "import from the host": "vfs.umount('/'); sys.path[:] = ['/usr/lib/python3']; import os.path",
}


@pytest.mark.requires("process")
@pytest.mark.parametrize("escape", ESCAPES)
def test_device_code_cannot(escape: str, board: Target, host_folder: Path) -> None:
    code = BUILT_IN.replace("FOLDER", repr(str(host_folder))) + ESCAPES[escape]
    with pytest.raises(DeviceError) as raised:
        board.device.exec(code)
    said = getattr(raised.value, "traceback", "") + str(raised.value)
    assert SECRET not in said
    # Refused by the kernel; or nothing there, where the board is another build.
    assert any(
        error in said for error in ("EACCES", "EPERM", "AssertionError", "AttributeError", "ImportError")
    ), said
    assert "root:" not in said


@pytest.mark.requires("process")
def test_a_file_is_not_opened_by_a_number(board: Target) -> None:
    board.device.exec(
        "import io\n"
        "for function in (open, io.open):\n"
        "    for number in range(20):\n"
        "        try:\n"
        "            function(number, 'r+b')\n"
        "        except TypeError:\n"
        "            continue\n"
        "        assert False, number\n"
    )


@pytest.mark.requires("process")
def test_the_network_stays_open(board: Target, server: str) -> None:
    port = int(server.rpartition(":")[2])
    board.device.exec(
        "import socket\n"
        f"address = socket.getaddrinfo('localhost', {port}, socket.AF_INET, socket.SOCK_STREAM)[0][-1]\n"
        "line = socket.socket()\n"
        "line.connect(address)\n"
        "line.close()\n"
        "listener = socket.socket()\n"
        "listener.bind(socket.getaddrinfo('127.0.0.1', 0)[0][-1])\n"
        "listener.listen(1)\n"
        "import os\n"
        "assert len(os.urandom(8)) == 8\n"
    )


# Native code does not go through MicroPython's modules: what CPython reaches by ctypes in the same sandbox.
NATIVE = {
    "replace itself": "call(59, b'/bin/true', 0, 0)",
    "start a program from memory": "call(322, os.memfd_create('x'), b'', 0, 0, 0x1000)",
    "trace a process": "call(101, 16, PARENT, 0, 0)",
    "read memory of a process": "call(310, PARENT, 0, 0, 0, 0, 0)",
    "signal a process": "os.kill(PARENT, 0)",
    "change a mode": "os.chmod(FOLDER + '/secret', 0)",
    "change a time": "os.utime(FOLDER + '/secret', (1, 1))",
    "set an attribute": "os.setxattr(FOLDER + '/secret', 'user.x', b'x')",
    "use io_uring": "call(425, 1, bytes(120))",
    "use the calls of the x32 machine": "call(0x40000000 + 59, 0, 0, 0)",
    "see the user's keys": "call(250, 0, -3, 0)",
    "share memory by a number": "call(29, 1, 4096, 0o1600)",
    "connect to an abstract socket": "socket.socket(socket.AF_UNIX).connect('\\0mpos')",
    "truncate a file": "os.truncate(FOLDER + '/secret', 0)",
    "rename a file": "os.rename(FOLDER + '/secret', FOLDER + '/new')",
    "link a file": "os.link(FOLDER + '/secret', FOLDER + '/new')",
    "make a pipe": "os.mkfifo(FOLDER + '/new')",
    "become root": "call(105, 0) or call(161, b'/') and 0",
}

NATIVE_PROGRAM = """
import ctypes, os, socket, sys
FOLDER, PARENT = sys.argv[2], os.getppid()
sys.path.append(sys.argv[1])
import sandbox
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments):
    if libc.syscall(*arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
sandbox.enter(())
try:
    {escape}
except PermissionError:
    os._exit(7)
"""


@pytest.mark.parametrize("escape", NATIVE)
def test_native_code_cannot(escape: str, host_folder: Path) -> None:
    program = textwrap.dedent(NATIVE_PROGRAM).format(escape=NATIVE[escape])
    folder = str(Path(sandbox.__file__).parent)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, folder, str(host_folder)], capture_output=True, text=True
    )
    assert done.returncode == 7, f"{done.returncode} {done.stderr}"


def test_calls_by_the_numbers_of_another_machine_end_the_process() -> None:
    # int 0x80 (the calls of i386) from 64-bit code: exit(0) by number 1.
    code = b"\xb8\x01\x00\x00\x00\x31\xdb\xcd\x80\xc3"
    program = (
        "import ctypes, mmap, sys\n"
        "sys.path.append(sys.argv[1])\nimport sandbox\n"
        f"memory = mmap.mmap(-1, 4096, prot=7)\nmemory.write({code!r})\n"
        "function = ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))\n"
        "sandbox.enter(())\nfunction()\n"
    )
    folder = str(Path(sandbox.__file__).parent)
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program, folder], capture_output=True)
    assert done.returncode == -signal.SIGSYS


@pytest.mark.requires("panel")
def test_the_panel_is_in_a_sandbox_too(board: Target) -> None:
    assert board.virtual is not None
    for pid in (board.virtual.panel_pid, board.virtual.vm_pid):
        status = Path(f"/proc/{pid}/status").read_text()
        assert "NoNewPrivs:\t1\n" in status
        assert "Seccomp:\t2\n" in status
        assert "CapPrm:\t0000000000000000\n" in status
        assert os.path.isdir(f"/proc/{pid}")


def test_what_a_kernel_lacks_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sandbox.shortcoming(None) == sandbox.shortcoming(sys.executable) == ""
    monkeypatch.setenv("SDL_VIDEODRIVER", "x11")
    assert "opens a window" in sandbox.shortcoming(sys.executable)
    assert "is a script" in sandbox.shortcoming(__file__)
    assert sandbox.shortcoming(None) == ""
    monkeypatch.setattr(sandbox, "landlock_abi", lambda: 0)
    assert "Landlock" in sandbox.shortcoming(None)
