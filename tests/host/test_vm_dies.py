"""A VM that dies at the worst moment: between the end of its boot and the answer of the board to it."""

from __future__ import annotations

import sys
from pathlib import Path

from serial_board import raw_repl

from mpos_host.virtual import VirtualBoard

# Plays a VM: after a soft reset it is gone as soon as it has booted.
VM = """#!{python}
import os, sys

at = sys.argv.index("__import__('boot')")
control = int(sys.argv[at + 1])
settings = dict(argument.split("=", 1) for argument in sys.argv[at + 3:])

def read_until(byte):
    while os.read(0, 1) != byte:
        pass

os.write(control, b"boot\\n")
if settings["reset_cause"] == "5":
    os.close(0)
    os.write(1, settings["mark"].encode())
    os._exit(1)
os.write(1, settings["mark"].encode() + b">>> ")
read_until(b"\\x01")
os.write(1, b"raw REPL; CTRL-B to exit\\r\\n>")
read_until(b"\\x04")
"""


def test_a_vm_that_dies_right_after_its_boot_takes_only_itself_along(tmp_path: Path) -> None:
    program = tmp_path / "vm"
    program.write_text(VM.format(python=sys.executable))
    program.chmod(0o755)
    with VirtualBoard(binary=program) as board:
        with raw_repl(board) as transport:
            transport.serial.write(b"\x04")
            board.wait_output("the VM ended with exit code 1")
        board.reset()
        assert board.exit_reason is None
