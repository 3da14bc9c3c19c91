"""First code of a VM process: tie its life to the parent's, then become the MicroPython VM.

Run as a script with `python -I -S`, so that nothing but the standard library is there:

    vm_main.py PARENT_PID FOLDER ARGS...    the MicroPython module in FOLDER, in this process
    vm_main.py PARENT_PID PROGRAM ARGS...   replace this process by PROGRAM
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    # Ignored until the VM sets its own handler: that is the sign that it may be interrupted (VmProcess).
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent, where, arguments = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        sys.exit("the parent process is gone")
    if not os.path.isdir(where):
        os.execv(where, ["micropython", *arguments])
    # Ends what the VM waits in, by EINTR; the function itself is never called: CPython does not get a turn.
    signal.signal(signal.SIGUSR1, lambda *_: None)
    sys.path.append(where)
    import micropython_module  # pyright: ignore[reportMissingImports]

    # An empty argv[0] keeps the host's path out of sys.executable.
    code = micropython_module.run_main(["", *arguments])
    os._exit(code & 0xFF)


main()
