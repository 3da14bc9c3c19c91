"""What runs in the VM before anything of the user: the board's "ROM".

Started as `-c "__import__('boot')" CONTROL_FD FLASH_FD KEY=VALUE...` by the supervisor (VirtualBoard). Puts
the firmware's modules into sys.modules, mounts the flash at `/`, tells the supervisor that the board is up,
and runs /boot.py and /main.py. The REPL follows. Ctrl-C reaches only the user's code.
"""

import micropython

micropython.kbd_intr(-1)

import builtins  # noqa: E402
import gc  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402

import vfs  # noqa: E402

_BLOCK = 4096


class _Flash:
    """The flash image as block device (MicroPython's extended interface: programming parts of a block).

    Its methods have no branch and allocate nothing: the VM raises a pending KeyboardInterrupt at a branch,
    and an exception out of here would leave LittleFS in the middle of its work, which crashes it later.
    """

    def __init__(self, file, blocks):
        self._file = file
        # To the questions 4 and 5: number of blocks, size of a block. There is nothing to do for the others.
        self._answers = {4: blocks, 5: _BLOCK}

    def readblocks(self, block, buffer, offset=0):
        self._file.seek(block * _BLOCK + offset)
        self._file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=0):
        self._file.seek(block * _BLOCK + offset)
        self._file.write(buffer)

    def ioctl(self, request, argument):
        return self._answers.get(request, 0)


def _start():
    control = open(int(sys.argv[1]), "wb")
    flash = open(int(sys.argv[2]), "r+b")
    settings = dict(item.split("=", 1) for item in sys.argv[3:])
    del sys.argv[:]

    modules = sys.modules
    import board_io
    import board_os
    import board_sys
    import board_vfs
    import interrupt
    import machine

    machine._control = control
    machine._reset_cause = int(settings["reset_cause"])
    machine._rtc_offset = int(settings["rtc_offset"])
    machine._unique_id = bytes.fromhex(settings["unique_id"])
    machine._interrupt = interrupt.exception  # kept from the collector
    control.write(b"interrupt %d %d\n" % (interrupt.find_pending(), id(interrupt.exception)))
    if settings["panel"]:
        import virtual_link

        virtual_link.connect(settings["panel"])
        import lvgl  # noqa: F401
        import virtual_hw  # noqa: F401

    sys.atexit(lambda: control.write(b"exit\n"))
    sys.path[:] = ["", ".frozen", "/lib"]
    vfs.umount("/")
    vfs.mount(
        vfs.VfsLfs2(_Flash(flash, int(settings["blocks"])), readsize=32, progsize=32, lookahead=32), "/"
    )
    for name in ("boot", "board_io", "board_os", "board_vfs", "board_sys", "interrupt"):
        del modules[name]
    builtins.open = board_io.open
    modules["io"] = modules["uio"] = board_io
    modules["os"] = modules["uos"] = board_os
    modules["vfs"] = modules["uvfs"] = board_vfs
    modules["sys"] = modules["usys"] = board_sys.Sys()
    modules["umachine"] = machine
    gc.collect()
    control.write(b"boot\n")
    try:
        micropython.kbd_intr(3)
        _run("/boot.py", control)
        if settings["main"] == "1":
            _run("/main.py", control)
    except KeyboardInterrupt as error:  # between the two files
        sys.print_exception(error)
    finally:
        micropython.kbd_intr(-1)
    sys.stdout.write(settings["mark"])


def _run(path, control):
    import os

    try:
        os.stat(path)
    except OSError:
        return
    try:
        execfile(path, __import__("__main__").__dict__)  # noqa: F821 (a built-in of MicroPython)
    except SystemExit:  # machine.soft_reset() and sys.exit() reset a board
        control.write(b"exit\n")
        while True:  # until the supervisor ends this VM
            micropython.kbd_intr(-1)
            time.sleep(1)
    except BaseException as error:
        sys.print_exception(error)


_start()
