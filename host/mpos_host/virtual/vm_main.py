"""First code of a VM process: tie its life to the parent's, give up the computer, become the MicroPython VM.

Run as a script with `python -I -S`, so that nothing but the standard library is there:

    vm_main.py PARENT_PID FOLDER ARGS...    the MicroPython module in FOLDER, in this process
    vm_main.py PARENT_PID PROGRAM ARGS...   replace this process by PROGRAM

What the VM can still read are the current directory (the firmware) and what libc and the loader need.
"""

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import suppress

sys.path.append(os.path.dirname(__file__))
import sandbox

_PR_SET_PDEATHSIG = 1  # linux/prctl.h

# Of libc: the names of hosts, random numbers, the time zone.
_SYSTEM_FILES = (
    *("/etc/hosts", "/etc/host.conf", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/gai.conf"),
    *("/dev/urandom", "/etc/localtime"),
)
_LOADED_LATE = ("libnss_files.so.2", "libnss_dns.so.2", "libgcc_s.so.1")  # by libc, when it needs them
_LISTING_S = 10


def main() -> None:
    # Ignored until the VM sets its own handler: that is the sign that it may be interrupted (VmProcess).
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent, where, arguments = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        sys.exit("the parent process is gone")
    if not os.path.isdir(where):
        if not sandbox.why_not(where):
            libraries, loaders = _loaded_by(where)
            sandbox.enter((os.getcwd(), *_SYSTEM_FILES, *libraries), where, loaders)
        os.execv(where, ["micropython", *arguments])
    # Ends what the VM waits in, by EINTR; the function itself is never called: CPython does not get a turn.
    signal.signal(signal.SIGUSR1, lambda *_: None)
    sys.path.append(where)
    import micropython_module  # pyright: ignore[reportMissingImports]

    for library in _LOADED_LATE:
        with suppress(OSError):  # a libc that has it inside
            ctypes.CDLL(library)
    sandbox.enter((os.getcwd(), *_SYSTEM_FILES))
    # An empty argv[0] keeps the host's path out of sys.executable.
    code = micropython_module.run_main(["", *arguments])
    os._exit(code & 0xFF)


def _loaded_by(program: str) -> tuple[list[str], list[str]]:
    """The libraries of an executable, and its loader, as that names them (ld.so(8))."""
    environment = {**os.environ, "LD_TRACE_LOADED_OBJECTS": "1"}
    done = subprocess.run(
        [program],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment,
        timeout=_LISTING_S,
    )
    libraries, loaders = ["/etc/ld.so.cache"], []
    for line in done.stdout.splitlines():
        name, arrow, path = line.partition(" => ")
        where = (path if arrow else name).strip().partition(" (")[0]
        if where.startswith("/"):
            (libraries if arrow else loaders).append(where)
    return libraries, loaders


main()
